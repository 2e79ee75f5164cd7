import { fuzzRuns, VirtualClock } from "@holdfast/testing";
import { ProvisioningError, sleep } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TurnQueue } from "./turn-queue.ts";

const never = new AbortController().signal;
const address = "http://a.test:8500";

interface Rotation {
  readonly everyMs: number;
  /** The times at which the watch got a turn. */
  readonly turns: number[];
}

/** Lets watches take turns for a while. A query takes its wait and `roundTripMs`. */
async function rotate(
  limit: number,
  watches: readonly number[],
  roundTripMs: number,
  forMs: number,
): Promise<{ readonly rotations: readonly Rotation[]; readonly peak: number; readonly waits: number[] }> {
  const clock = new VirtualClock();
  const queue = new TurnQueue(clock, limit);
  const stop = new AbortController();
  const { signal } = stop;
  let running = 0;
  let peak = 0;
  const waits: number[] = [];
  const rotations = watches.map((everyMs): Rotation => ({ everyMs, turns: [] }));
  const all = rotations.map(async ({ everyMs, turns }) => {
    using rotation = queue.join(everyMs);
    for (;;) {
      using turn = await rotation.take({ address, signal });
      turns.push(clock.monotonic());
      waits.push(turn.waitMs);
      peak = Math.max(peak, ++running);
      try {
        await sleep(turn.waitMs + roundTripMs, { clock, signal });
      } finally {
        running--;
      }
    }
  });
  await clock.advance(forMs);
  stop.abort();
  await Promise.allSettled(all);
  expect(clock.pendingTimers).toBe(0);
  return { rotations, peak, waits };
}

/** Returns the longest time between two turns of a watch, including the time before the first and after the last one. */
function longestGap({ turns }: Rotation, forMs: number): number {
  const times = [0, ...turns, forMs];
  return Math.max(...times.slice(1).map((at, i) => at - times[i]!));
}

describe("TurnQueue", () => {
  test("with fewer watches than slots, a turn waits for a quarter of the interval", async () => {
    const { waits } = await rotate(4, [2_500, 2_500], 2, 20_000);
    expect(new Set(waits)).toEqual(new Set([625]));
  });

  // R7.1: every service gets its turn within the promised time, however many there are.
  test("any number of watches with any intervals get their turns in time, in no more slots than permitted", async () => {
    const watches = fc.array(fc.constantFrom(500, 1_000, 2_500), { minLength: 1, maxLength: 120 });
    await fc.assert(
      fc.asyncProperty(
        watches,
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 5 }),
        async (every, limit, trip) => {
          const demand = every.reduce((sum, each) => sum + 1 / each, 0);
          // The shortest wait of a turn is 10 ms.
          fc.pre(limit / demand >= 1.25 * (10 + trip));
          const forMs = 30_000;
          const { rotations, peak, waits } = await rotate(limit, every, trip, forMs);
          expect(peak).toBeLessThanOrEqual(limit);
          const longest = Math.max(...waits);
          for (const each of rotations)
            expect(longestGap(each, forMs)).toBeLessThanOrEqual(each.everyMs * 2 + longest);
        },
      ),
      { numRuns: fuzzRuns(20) },
    );
  });

  test("watches with the same interval get a turn in each interval", async () => {
    const every = Array.from({ length: 872 }, () => 2_500);
    const { rotations } = await rotate(16, every, 3, 30_000);
    for (const each of rotations) expect(longestGap(each, 30_000)).toBeLessThanOrEqual(2_600);
  });

  test("with too many watches the turns come later, but every watch gets the same number of them", async () => {
    const { rotations } = await rotate(
      1,
      Array.from({ length: 500 }, () => 2_500),
      1,
      60_000,
    );
    const counts = rotations.map(({ turns }) => turns.length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(10);
  });

  test("a watch with long intervals is not starved by watches with short ones", async () => {
    const short = Array.from({ length: 100 }, () => 500);
    // All together need 2.2 times as many turns as there are, so each interval takes 2.2 times as long.
    const { rotations } = await rotate(1, [...short, 30_000], 1, 150_000);
    expect(rotations.at(-1)?.turns.length).toBeGreaterThanOrEqual(2);
  });

  test("fail() rejects the turns that wait for the address, and no others", async () => {
    const queue = new TurnQueue(new VirtualClock(), 1);
    const other = "http://b.test:8500";
    const take = (at: string) => queue.join(1_000).take({ address: at, signal: never });
    const running = await take(address);
    const waiting = take(address);
    const elsewhere = take(other);
    queue.fail(address, new ProvisioningError("CONNECTIVITY_REFUSED", "no server listens"));
    await expect(waiting).rejects.toMatchObject({ code: "CONNECTIVITY_REFUSED" });
    running[Symbol.dispose]();
    using _ = await elsewhere;
    expect(_.waitMs).toBeGreaterThan(0);
  });

  test("an aborted turn leaves its place to the next one", async () => {
    const queue = new TurnQueue(new VirtualClock(), 1);
    const take = (signal: AbortSignal) => queue.join(1_000).take({ address, signal });
    const running = await take(never);
    const stop = new AbortController();
    const aborted = take(stop.signal);
    const next = take(never);
    stop.abort();
    await expect(aborted).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    running[Symbol.dispose]();
    running[Symbol.dispose]();
    using _ = await next;
    await expect(take(stop.signal)).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
  });
});
