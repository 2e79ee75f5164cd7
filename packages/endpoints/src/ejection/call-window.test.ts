import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CallWindow } from "./call-window.ts";

interface Call {
  readonly at: number;
  readonly isFailure: boolean;
  readonly latencyMs: number | undefined;
}

describe("CallWindow", () => {
  test("counts calls, failures and the mean latency of successes", () => {
    const window = new CallWindow(1_000);
    window.add(0, false, 10);
    window.add(10, true, 500);
    window.add(20, false, 30);
    window.add(30, false, undefined);
    expect(window.read(40)).toEqual({ calls: 4, failures: 1, timed: 2, meanMs: 20 });
    window.clear();
    expect(window.read(40)).toEqual({ calls: 0, failures: 0, timed: 0, meanMs: Number.NaN });
  });

  test("equals a count of the calls of the last five steps", () => {
    const call = fc.record({
      gap: fc.integer({ min: 0, max: 900 }),
      isFailure: fc.boolean(),
      latencyMs: fc.constantFrom(undefined, 1, 5),
    });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 30 }), fc.nat(2_000), fc.nat(10_000), (steps, idle, start) => {
        const window = new CallWindow(1_000);
        const calls: Call[] = [];
        let now = start;
        for (const { gap, isFailure, latencyMs } of steps) {
          now += gap;
          calls.push({ at: now, isFailure, latencyMs });
          window.add(now, isFailure, latencyMs);
        }
        now += idle;
        const oldest = Math.floor(now / 200) - 4;
        const recent = calls.filter(({ at }) => Math.floor(at / 200) >= oldest);
        const timed = recent.filter((each) => !each.isFailure && each.latencyMs !== undefined);
        const counts = window.read(now);
        expect(counts).toMatchObject({
          calls: recent.length,
          failures: recent.filter((each) => each.isFailure).length,
          timed: timed.length,
        });
        if (timed.length > 0) {
          expect(counts.meanMs).toBeCloseTo(
            timed.reduce((sum, each) => sum + each.latencyMs!, 0) / timed.length,
          );
        }
      }),
    );
  });
});
