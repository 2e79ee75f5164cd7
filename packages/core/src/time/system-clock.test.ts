import { describe, expect, test } from "vitest";
import { sleep } from "./sleep.ts";
import { systemClock } from "./system-clock.ts";

const clock = systemClock;

describe("systemClock", () => {
  test("returns the time since 1970, and a monotonic time", () => {
    expect(Math.abs(clock.now() - new Date().getTime())).toBeLessThan(1_000);
    const before = clock.monotonic();
    expect(clock.monotonic()).toBeGreaterThanOrEqual(before);
  });

  test("calls back after the delay, not before", async () => {
    const start = clock.monotonic();
    await sleep(15, { clock });
    // Node counts whole milliseconds and may be early by a fraction of one.
    expect(clock.monotonic() - start).toBeGreaterThan(13.9);
  });

  test("calls back immediate tasks in the order they were scheduled", async () => {
    const log: number[] = [];
    clock.schedule(0, () => log.push(1));
    clock.schedule(-5, () => log.push(2));
    await sleep(0, { clock });
    expect(log).toEqual([1, 2]);
  });

  test("never calls a task that was disposed of", async () => {
    const timer = clock.schedule(0, () => expect.unreachable());
    timer[Symbol.dispose]();
    timer[Symbol.dispose]();
    await sleep(2, { clock });
  });

  test("does not treat a delay beyond the platform's limit as zero", async () => {
    const delays = [2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, Infinity];
    const timers = delays.map((delay) => clock.schedule(delay, () => expect.unreachable()));
    // Without a limit each task would be called after 1 ms.
    await sleep(5, { clock });
    for (const timer of timers) timer[Symbol.dispose]();
  });

  test("yields to the event loop", async () => {
    let hasTurned = false;
    clock.schedule(0, () => (hasTurned = true));
    for (let turns = 0; !hasTurned && turns < 1_000_000; turns++) await clock.yield();
    expect(hasTurned).toBe(true);
  });
});
