import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { throwIfAborted, toAbortError, whenAborted } from "./abort.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";

const ours = new ProvisioningError("CONNECTIVITY_TIMEOUT", "too late");

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

describe("toAbortError", () => {
  test("is the signal's reason if that is a ProvisioningError, and LIFECYCLE_ABORTED otherwise", () => {
    expect(toAbortError(AbortSignal.abort(ours))).toBe(ours);
    expect(toAbortError(AbortSignal.abort("why"))).toMatchObject({ code: "LIFECYCLE_ABORTED", cause: "why" });
    expect(toAbortError(AbortSignal.abort())).toMatchObject({ code: "LIFECYCLE_ABORTED" });
  });
});

describe("throwIfAborted", () => {
  test("throws only once the signal has aborted", () => {
    expect(() => throwIfAborted(undefined)).not.toThrow();
    expect(() => throwIfAborted(new AbortController().signal)).not.toThrow();
    expect(() => throwIfAborted(AbortSignal.abort(ours))).toThrow(ours);
  });
});

describe("whenAborted", () => {
  test("calls back once when the signal aborts", () => {
    const controller = new AbortController();
    let calls = 0;
    whenAborted(controller.signal, () => calls++);
    expect(calls).toBe(0);
    controller.abort();
    controller.abort();
    expect(calls).toBe(1);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("calls back immediately when the signal has already aborted, and never without a signal", () => {
    let calls = 0;
    whenAborted(AbortSignal.abort(), () => calls++);
    expect(calls).toBe(1);
    whenAborted(undefined, () => calls++)[Symbol.dispose]();
    expect(calls).toBe(1);
  });

  test("once disposed of it never calls back and leaves no listener", () => {
    const controller = new AbortController();
    const subscription = whenAborted(controller.signal, () => expect.unreachable());
    subscription[Symbol.dispose]();
    subscription[Symbol.dispose]();
    expect(listenersOf(controller.signal)).toBe(0);
    controller.abort();
  });
});
