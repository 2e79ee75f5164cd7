import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { createDeadline } from "./deadline.ts";
import { ManualClock } from "../../test/manual-clock.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";

const ours = new ProvisioningError("CONNECTIVITY_TIMEOUT", "too late");

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

describe("createDeadline", () => {
  const options = { afterMs: 100, error: () => ours };

  test("aborts with the given error at the deadline", () => {
    const clock = new ManualClock();
    using deadline = createDeadline({ ...options, clock });
    clock.advance(99);
    expect(deadline.signal.aborted).toBe(false);
    clock.advance(1);
    expect(deadline.signal.reason).toBe(ours);
  });

  test("aborts with the outer signal's reason, whether it has already aborted or not", () => {
    const clock = new ManualClock();
    const outer = new AbortController();
    using deadline = createDeadline({ ...options, clock, signal: outer.signal });
    outer.abort("why");
    expect(deadline.signal.reason).toBe("why");
    clock.advance(100);
    expect(deadline.signal.reason).toBe("why");
    using late = createDeadline({ ...options, clock, signal: outer.signal });
    expect(late.signal.reason).toBe("why");
  });

  test("once disposed of it never aborts and leaves no timer and no listener", () => {
    const clock = new ManualClock();
    const outer = new AbortController();
    const deadline = createDeadline({ ...options, clock, signal: outer.signal });
    deadline[Symbol.dispose]();
    deadline[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
    expect(listenersOf(outer.signal)).toBe(0);
    clock.advance(100);
    outer.abort();
    expect(deadline.signal.aborted).toBe(false);
  });
});
