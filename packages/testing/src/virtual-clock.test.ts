import { createDeadline, ProvisioningError, SerialQueue, sleep, untilAborted } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { VirtualClock } from "./virtual-clock.ts";

const tooSlow = () => new ProvisioningError("CONNECTIVITY_TIMEOUT", "too slow");

describe("VirtualClock", () => {
  test("does not advance by itself", async () => {
    const clock = new VirtualClock({ startAt: 1_000 });
    let fired = 0;
    clock.schedule(0, () => fired++);
    await clock.settle();
    expect([clock.now(), clock.monotonic(), fired, clock.pendingTimers]).toEqual([1_000, 0, 0, 1]);
    await clock.advance(0);
    expect([clock.now(), clock.monotonic(), fired, clock.pendingTimers]).toEqual([1_000, 0, 1, 0]);
    await clock.advance(250);
    expect([clock.now(), clock.monotonic(), fired]).toEqual([1_250, 250, 1]);
  });

  test("fires timers by due time, and timers with equal due times in the order they were scheduled", async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    for (const [name, delay] of [
      ["late", 30],
      ["first at 10", 10],
      ["negative", -5],
      ["second at 10", 10],
      ["zero", 0],
    ] as const) {
      clock.schedule(delay, () => fired.push(`${name} @${clock.monotonic()}`));
    }
    await clock.advance(30);
    expect(fired).toEqual(["negative @0", "zero @0", "first at 10 @10", "second at 10 @10", "late @30"]);
  });

  test("fires timers that are scheduled during the advance if they fall due in time, and no others", async () => {
    const clock = new VirtualClock();
    const fired: number[] = [];
    const tick = () => {
      fired.push(clock.monotonic());
      clock.schedule(10, tick);
    };
    clock.schedule(10, tick);
    await clock.advance(35);
    expect(fired).toEqual([10, 20, 30]);
    expect([clock.monotonic(), clock.pendingTimers]).toEqual([35, 1]);
    await clock.advance(5);
    expect(fired).toEqual([10, 20, 30, 40]);
  });

  test("a disposed timer never fires, also when an earlier one due at the same time disposes of it", async () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    clock.schedule(10, () => {
      fired.push("first");
      second[Symbol.dispose]();
    });
    const second = clock.schedule(10, () => fired.push("second"));
    const third = clock.schedule(10, () => fired.push("third"));
    third[Symbol.dispose]();
    third[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(2);
    await clock.advance(10);
    expect(fired).toEqual(["first"]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("lets promise chains of any depth settle before a timer, between timers and at the end", async () => {
    const clock = new VirtualClock();
    const seen: string[] = [];
    const deep = async (name: string) => {
      for (let i = 0; i < 1_000; i++) await Promise.resolve();
      for (let i = 0; i < 100; i++) await clock.yield();
      seen.push(`${name} @${clock.monotonic()}`);
    };
    void deep("start").then(() => clock.schedule(5, () => void deep("scheduled")));
    clock.schedule(5, () => void deep("a"));
    clock.schedule(6, () => void deep("b"));
    await clock.advance(6);
    expect(seen).toEqual(["start @0", "a @5", "scheduled @5", "b @6"]);
  });

  test("overlapping calls advance one after the other", async () => {
    const clock = new VirtualClock();
    const firings: number[] = [];
    for (const delay of [5, 15, 25]) clock.schedule(delay, () => firings.push(clock.monotonic()));
    await Promise.all([clock.advance(10), clock.advance(10), clock.advance(10)]);
    expect(clock.monotonic()).toBe(30);
    expect(firings).toEqual([5, 15, 25]);
  });

  test("a task that throws rejects the advance that fired it; the clock remains usable", async () => {
    const clock = new VirtualClock();
    let fired = 0;
    clock.schedule(5, () => {
      throw new Error("broken task");
    });
    clock.schedule(6, () => fired++);
    await expect(clock.advance(10)).rejects.toThrow("broken task");
    await clock.advance(10);
    expect(fired).toBe(1);
  });

  test("jump changes only the wall clock", async () => {
    const clock = new VirtualClock({ startAt: 1_000 });
    let fired = 0;
    clock.schedule(100, () => fired++);
    clock.jump(-500);
    expect([clock.now(), clock.monotonic()]).toEqual([500, 0]);
    clock.jump(10_000);
    await clock.advance(99);
    expect([clock.now(), fired]).toEqual([10_599, 0]);
  });

  test("until fires timers only until the work settles", async () => {
    const clock = new VirtualClock();
    clock.schedule(80, () => undefined);
    const work = sleep(70, { clock }).then(() => "done");
    expect(await clock.until(work, 1_000)).toBe("done");
    expect([clock.monotonic(), clock.pendingTimers]).toEqual([70, 1]);
    await expect(clock.until(Promise.reject(new Error("lost")), 10)).rejects.toThrow("lost");
    expect(clock.monotonic()).toBe(70);
  });

  test("until rejects after its time limit", async () => {
    const clock = new VirtualClock();
    const unsettled = Promise.withResolvers<void>().promise;
    await expect(clock.until(unsettled, 50)).rejects.toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
    expect(clock.monotonic()).toBe(50);
  });

  test("a time that is not a number is refused", async () => {
    const clock = new VirtualClock();
    expect(() => clock.schedule(Number.NaN, () => undefined)).toThrow("[VALIDATION_MALFORMED]");
    expect(() => clock.jump(Number.NaN)).toThrow("[VALIDATION_MALFORMED]");
    await expect(clock.advance(Number.NaN)).rejects.toMatchObject({ code: "VALIDATION_MALFORMED" });
  });
});

describe("core's waits on a virtual clock", () => {
  test("sleep waits exactly the given time, and an abort removes its timer", async () => {
    const clock = new VirtualClock();
    const slept = sleep(1_000, { clock });
    await clock.advance(999);
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(1);
    await slept;

    const controller = new AbortController();
    const aborted = sleep(1_000, { clock, signal: controller.signal });
    controller.abort();
    await expect(aborted).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    expect(clock.pendingTimers).toBe(0);
    await expect(sleep(1, { clock, signal: controller.signal })).rejects.toMatchObject({
      code: "LIFECYCLE_ABORTED",
    });
    expect(clock.pendingTimers).toBe(0);
  });

  test("createDeadline aborts with its own error at the deadline, and with the outer signal's reason before", async () => {
    const clock = new VirtualClock();
    using late = createDeadline({ clock, afterMs: 100, error: tooSlow });
    const waiting = untilAborted(Promise.withResolvers<void>().promise, late.signal);
    void waiting.catch(() => undefined);
    await clock.advance(99);
    expect(late.signal.aborted).toBe(false);
    await clock.advance(1);
    await expect(waiting).rejects.toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });

    const outer = new AbortController();
    const early = createDeadline({ clock, afterMs: 100, error: tooSlow, signal: outer.signal });
    const reason = new ProvisioningError("LIFECYCLE_STOPPED", "stopped");
    outer.abort(reason);
    expect(early.signal.reason).toBe(reason);
    early[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test("a disposed deadline never aborts and leaves no timer", async () => {
    const clock = new VirtualClock();
    const outer = new AbortController();
    const deadline = createDeadline({
      clock,
      afterMs: 100,
      signal: outer.signal,
      error: tooSlow,
    });
    deadline[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
    outer.abort();
    await clock.advance(100);
    expect(deadline.signal.aborted).toBe(false);
  });

  test("SerialQueue runs slow tasks one at a time and drops one that is aborted while it waits", async () => {
    const clock = new VirtualClock();
    const queue = new SerialQueue();
    const controller = new AbortController();
    const log: string[] = [];
    const slow = (name: string) => async () => {
      log.push(`${name} starts @${clock.monotonic()}`);
      await sleep(100, { clock });
      log.push(`${name} ends @${clock.monotonic()}`);
    };
    const first = queue.run(slow("first"), controller.signal);
    const second = queue.run(slow("second"), controller.signal);
    const third = queue.run(slow("third"));
    await clock.advance(50);
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    await clock.advance(200);
    await Promise.all([first, third]);
    expect(log).toEqual(["first starts @0", "first ends @100", "third starts @100", "third ends @200"]);
  });
});
