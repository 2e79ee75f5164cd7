import { VirtualClock } from "@holdfast/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PollPace } from "./poll-pace.ts";

const { signal } = new AbortController();

interface Surroundings {
  readonly minGapMs: number;
  readonly heartbeatMs?: number;
  readonly random?: () => number;
}

/** Returns the length of the pause after each of these polls. */
async function restsOf(
  polls: readonly { readonly tookMs?: number; readonly pollMs: number }[],
  { minGapMs, heartbeatMs = 5_000, random = () => 1 }: Surroundings,
): Promise<readonly number[]> {
  const clock = new VirtualClock();
  const pace = new PollPace({ clock, random, minGapMs, heartbeatMs });
  const rests: number[] = [];
  for (const { tookMs, pollMs } of polls) {
    pace.startPoll();
    await clock.advance(pollMs);
    const at = clock.monotonic();
    await clock.until(pace.pause(tookMs, signal), 1_000_000);
    rests.push(clock.monotonic() - at);
  }
  return rests;
}

const early = { pollMs: 1 };

describe("PollPace", () => {
  test("pauses longer after each poll that returned early without a change, up to one second", async () => {
    const rests = await restsOf(
      Array.from({ length: 7 }, () => early),
      { minGapMs: 50 },
    );
    expect(rests).toEqual([50, 100, 200, 400, 800, 1_000, 1_000]);
  });

  test("never pauses so long that a heartbeat is missed", async () => {
    const rests = await restsOf(
      Array.from({ length: 5 }, () => early),
      { minGapMs: 50, heartbeatMs: 333 },
    );
    expect(rests).toEqual([50, 100, 166.5, 166.5, 166.5]);
  });

  test("starts again after a poll that blocked, and after a change", async () => {
    const held = { pollMs: 2_000 };
    const news = { pollMs: 1, tookMs: 30 };
    expect(await restsOf([early, early, held, early, early, news, early], { minGapMs: 50 })).toEqual([
      50, 100, 0, 50, 100, 30, 50,
    ]);
  });

  test("pauses between the shortest and the current longest pause, for any random value", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 60_000 }),
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
          minLength: 1,
          maxLength: 20,
        }),
        async (minGapMs, chances) => {
          const left = [...chances];
          const polls = chances.map(() => early);
          const rests = await restsOf(polls, { minGapMs, random: () => left.shift() ?? 0 });
          for (const rest of rests) {
            // The difference of two sums of fractions is not exact.
            expect(rest).toBeGreaterThan(minGapMs - 0.001);
            expect(rest).toBeLessThan(Math.max(minGapMs, 1_000) + 0.001);
          }
        },
      ),
    );
  });

  test("ends a pause when the signal aborts", async () => {
    const clock = new VirtualClock();
    const pace = new PollPace({ clock, random: () => 1, minGapMs: 50, heartbeatMs: 5_000 });
    const controller = new AbortController();
    pace.startPoll();
    const resting = pace.pause(undefined, controller.signal);
    controller.abort();
    await expect(resting).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    expect(clock.pendingTimers).toBe(0);
  });
});
