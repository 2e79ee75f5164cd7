import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  createDeadline,
  readUntilAborted,
  sleep,
  throwIfAborted,
  toAbortError,
  untilAborted,
  whenAborted,
} from "./abort.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import { systemClock } from "./system-clock.ts";
import { ManualClock } from "../manual-clock.test-support.ts";

const ours = new ProvisioningError("CONNECTIVITY_TIMEOUT", "too late");

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, "abort").length;
}

describe("toAbortError", () => {
  test("is the signal's own reason when that is ours, and else says that the wait was aborted", () => {
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
  test("calls once, when the signal aborts", () => {
    const controller = new AbortController();
    let calls = 0;
    whenAborted(controller.signal, () => calls++);
    expect(calls).toBe(0);
    controller.abort();
    controller.abort();
    expect(calls).toBe(1);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("calls at once when the signal has aborted, and never without a signal", () => {
    let calls = 0;
    whenAborted(AbortSignal.abort(), () => calls++);
    expect(calls).toBe(1);
    whenAborted(undefined, () => calls++)[Symbol.dispose]();
    expect(calls).toBe(1);
  });

  test("once disposed of it never calls and leaves no listener", () => {
    const controller = new AbortController();
    const subscription = whenAborted(controller.signal, () => expect.unreachable());
    subscription[Symbol.dispose]();
    subscription[Symbol.dispose]();
    expect(listenersOf(controller.signal)).toBe(0);
    controller.abort();
  });
});

describe("untilAborted", () => {
  test("settles as the work does and leaves no listener", async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(Promise.resolve("done"), signal)).resolves.toBe("done");
    await expect(untilAborted("value", signal)).resolves.toBe("value");
    await expect(untilAborted(Promise.reject(ours), signal)).rejects.toBe(ours);
    await expect(untilAborted("value", undefined)).resolves.toBe("value");
    expect(listenersOf(signal)).toBe(0);
  });

  test("rejects as soon as the signal aborts and swallows what the work does later", async () => {
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

  test("with a signal that has aborted only work that is done already gets through", async () => {
    const signal = AbortSignal.abort(ours);
    await expect(untilAborted(new Promise(() => {}), signal)).rejects.toBe(ours);
    await expect(untilAborted(Promise.resolve("done"), signal)).resolves.toBe("done");
  });
});

describe("sleep", () => {
  test("waits the time on the clock and leaves nothing behind", async () => {
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

  test("does not even begin with a signal that has aborted", async () => {
    const clock = new ManualClock();
    const wait = sleep(100, { clock, signal: AbortSignal.abort() });
    expect(clock.pendingTimers).toBe(0);
    await expect(wait).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  });

  test("whichever comes first wins when time is up and the signal aborts in one turn", async () => {
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

describe("createDeadline", () => {
  const options = { afterMs: 100, error: () => ours };

  test("aborts with the error given when time is up", () => {
    const clock = new ManualClock();
    using deadline = createDeadline({ ...options, clock });
    clock.advance(99);
    expect(deadline.signal.aborted).toBe(false);
    clock.advance(1);
    expect(deadline.signal.reason).toBe(ours);
  });

  test("aborts with the outer signal and its reason, already aborted or not", () => {
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

async function* count(onClose: () => void): AsyncGenerator<number> {
  try {
    for (let i = 0; ; i++) yield i;
  } finally {
    onClose();
  }
}

function source(next: () => Promise<IteratorResult<number>>, close?: () => Promise<IteratorResult<number>>) {
  const iterator = close === undefined ? { next } : { next, return: close };
  return { [Symbol.asyncIterator]: () => iterator };
}

describe("readUntilAborted", () => {
  test("hands on what comes and closes the source when the reader breaks off", async () => {
    const controller = new AbortController();
    let isClosed = false;
    const seen: number[] = [];
    for await (const i of readUntilAborted(
      count(() => (isClosed = true)),
      controller.signal,
    )) {
      seen.push(i);
      if (i === 1_000) break;
    }
    expect(seen).toHaveLength(1_001);
    expect(isClosed).toBe(true);
    expect(listenersOf(controller.signal)).toBe(0);
  });

  test("ends although a source that ignores the signal always has more", async () => {
    const controller = new AbortController();
    let reads = 0;
    const flood = source(() => {
      if (++reads === 10) controller.abort(ours);
      if (reads > 100) throw new Error("read on");
      return Promise.resolve({ done: false, value: reads });
    });
    await expect(Array.fromAsync(readUntilAborted(flood, controller.signal))).rejects.toBe(ours);
    expect(reads).toBe(10);
  });

  test("what has come before the abort is still read", async () => {
    const controller = new AbortController();
    const underWay = Promise.withResolvers<IteratorResult<number>>();
    const reading = readUntilAborted(
      source(() => underWay.promise),
      controller.signal,
    );
    const first = reading.next();
    underWay.resolve({ done: false, value: 1 });
    controller.abort(ours);
    expect(await first).toEqual({ done: false, value: 1 });
    await expect(reading.next()).rejects.toBe(ours);
  });

  test("ends and fails as the source does, and does not close what is over", async () => {
    let closes = 0;
    const close = () => {
      closes++;
      return Promise.resolve({ done: true as const, value: undefined });
    };
    const over = source(() => Promise.resolve({ done: true, value: undefined }), close);
    expect(await Array.fromAsync(readUntilAborted(over, undefined))).toEqual([]);
    expect(closes).toBe(0);
    const broken = source(() => Promise.reject(ours), close);
    await expect(Array.fromAsync(readUntilAborted(broken, undefined))).rejects.toBe(ours);
  });

  test.each<[string, () => Promise<IteratorResult<number>>]>([
    ["hangs", () => new Promise(() => {})],
    ["rejects", () => Promise.reject(new Error("close"))],
    [
      "throws",
      () => {
        throw new Error("close");
      },
    ],
  ])("is not held up by a source that ignores the signal and %s as it is closed", async (_, close) => {
    const controller = new AbortController();
    const reading = Array.fromAsync(
      readUntilAborted(
        source(() => new Promise(() => {}), close),
        controller.signal,
      ),
    );
    controller.abort(ours);
    await expect(reading).rejects.toBe(ours);
    expect(listenersOf(controller.signal)).toBe(0);
  });
});
