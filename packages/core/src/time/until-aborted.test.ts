import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { untilAborted } from "./until-aborted.ts";
import { systemClock } from "./system-clock.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";

const ours = new ProvisioningError("CONNECTIVITY_TIMEOUT", "too late");

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

describe("untilAborted", () => {
  test("settles as the work does and leaves no listener", async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(Promise.resolve("done"), signal)).resolves.toBe("done");
    await expect(untilAborted("value", signal)).resolves.toBe("value");
    await expect(untilAborted(Promise.reject(ours), signal)).rejects.toBe(ours);
    await expect(untilAborted("value", undefined)).resolves.toBe("value");
    expect(listenersOf(signal)).toBe(0);
  });

  test("rejects as soon as the signal aborts and ignores the later result of the work", async () => {
    const controller = new AbortController();
    const work = Promise.withResolvers<void>();
    const wait = untilAborted(work.promise, controller.signal);
    controller.abort(ours);
    await expect(wait).rejects.toBe(ours);
    expect(listenersOf(controller.signal)).toBe(0);
    // An unhandled rejection would fail the run.
    work.reject(new Error("late"));
    await systemClock.yield();
  });

  test("with a signal that has already aborted, only finished work resolves", async () => {
    const signal = AbortSignal.abort(ours);
    await expect(untilAborted(new Promise(() => {}), signal)).rejects.toBe(ours);
    await expect(untilAborted(Promise.resolve("done"), signal)).resolves.toBe("done");
  });
});
