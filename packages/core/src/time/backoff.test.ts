import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBackoff } from "./backoff.ts";

/** The largest random number below 1, which makes a wait just below the ceiling. */
const ALMOST_ONE = 1 - 2 ** -53;

const settings = fc
  .record({
    initialMs: fc.double({ min: 1, max: 10_000, noNaN: true }),
    maxMs: fc.double({ min: 1, max: 100_000, noNaN: true }),
    factor: fc.double({ min: 1, max: 10, noNaN: true }),
  })
  .map((options) => ({ ...options, maxMs: Math.max(options.initialMs, options.maxMs) }));

describe("createBackoff", () => {
  test("waits from 0 up to a ceiling that is multiplied by the factor up to the maximum", () => {
    const random = fc.oneof(
      fc.constantFrom(0, ALMOST_ONE),
      fc.double({ min: 0, max: ALMOST_ONE, noNaN: true }),
    );
    fc.assert(
      fc.property(settings, fc.array(random, { minLength: 1, maxLength: 30 }), (options, chances) => {
        let next = 0;
        const backoff = createBackoff({ ...options, random: () => chances[next++]! });
        let ceiling = options.initialMs;
        for (const chance of chances) {
          const wait = backoff.nextMs();
          // R2.6
          expect(wait).toBeGreaterThanOrEqual(0);
          expect(wait).toBeLessThan(options.maxMs);
          expect(wait).toBe(chance * ceiling);
          ceiling = Math.min(ceiling * options.factor, options.maxMs);
        }
      }),
    );
  });

  test("doubles from 2 s to 30 s by default, and starts again after a reset", () => {
    const backoff = createBackoff({ random: () => 0.5 });
    const waits = Array.from({ length: 7 }, () => backoff.nextMs() * 2);
    // R2.6
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    backoff.reset();
    expect(backoff.nextMs() * 2).toBe(2_000);
    expect(backoff.nextMs() * 2).toBe(4_000);
  });

  test("never exceeds the maximum, even at the first wait", () => {
    const backoff = createBackoff({ initialMs: 5_000, maxMs: 100, random: () => ALMOST_ONE });
    expect(backoff.nextMs()).toBeLessThan(100);
    backoff.reset();
    expect(backoff.nextMs()).toBeLessThan(100);
  });

  test("draws one random number per wait", () => {
    let draws = 0;
    const backoff = createBackoff({ random: () => (draws++, 0) });
    backoff.nextMs();
    backoff.reset();
    backoff.nextMs();
    expect(draws).toBe(2);
  });
});
