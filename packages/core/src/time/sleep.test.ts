import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { sleep } from "./sleep.ts";
import { systemClock } from "./system-clock.ts";
import { ManualClock } from "../../test/manual-clock.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";

const ours = new ProvisioningError("CONNECTIVITY_TIMEOUT", "too late");

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

describe("sleep", () => {
  test("waits for the given time on the clock and leaves nothing behind", async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    let isAwake = false;
    const wait = sleep(100, { clock, signal }).then(() => (isAwake = true));
    clock.advance(99);
    await systemClock.yield();
    expect(isAwake).toBe(false);
    clock.advance(1);
    await wait;
    expect(clock.pendingTimers).toBe(0);
    expect(listenersOf(signal)).toBe(0);
  });

  test("rejects as soon as the signal aborts and leaves nothing behind", async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const wait = sleep(100, { clock, signal: controller.signal });
    expect(clock.pendingTimers).toBe(1);
    controller.abort(ours);
    await expect(wait).rejects.toBe(ours);
    expect(clock.pendingTimers).toBe(0);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("does not start with a signal that has already aborted", async () => {
    const clock = new ManualClock();
    const wait = sleep(100, { clock, signal: AbortSignal.abort() });
    expect(clock.pendingTimers).toBe(0);
    await expect(wait).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  });

  test("when the timer and the abort happen in one turn, the first one decides", async () => {
    const clock = new ManualClock();
    const early = new AbortController();
    const woken = sleep(100, { clock, signal: early.signal });
    clock.advance(100);
    early.abort(ours);
    await expect(woken).resolves.toBeUndefined();
    const late = new AbortController();
    const aborted = sleep(100, { clock, signal: late.signal });
    late.abort(ours);
    clock.advance(100);
    await expect(aborted).rejects.toBe(ours);
    expect(clock.pendingTimers).toBe(0);
  });
});
