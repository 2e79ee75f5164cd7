import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toEjectionSettings } from "./ejection-options.ts";
import { eject, maxEjected, NEVER_EJECTED, probe, succeed, type EjectionPhase } from "./ejection-phase.ts";

const settings = toEjectionSettings({ ejectMs: 1_000, maxEjectMs: 5_000, probeSuccesses: 2 });
const cause = { rule: "consecutive_failures", text: "a test" } as const;

describe("the phases of a member", () => {
  test("each ejection lasts twice as long as the one before, up to the limit", () => {
    // R8.3
    let phase: EjectionPhase = NEVER_EJECTED;
    const lengths = [];
    for (let i = 0; i < 5; i++) {
      const out = eject(phase, cause, 100, settings, () => 0);
      lengths.push(out.until - out.since);
      expect(out.tries).toBe(i + 1);
      phase = probe(out, out.until);
    }
    expect(lengths).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    expect(eject(NEVER_EJECTED, cause, 0, settings, () => 0.999).until).toBeCloseTo(800, -1);
  });

  test("enough successful probes end the probing, and the number of ejections is remembered", () => {
    const out = eject(NEVER_EJECTED, cause, 0, settings, () => 0);
    expect(succeed(out, 10, settings)).toBe(out);
    const probing = succeed(probe(out, 1_000), 1_010, settings);
    expect(probing).toMatchObject({ kind: "probing", successes: 1, since: 1_000, cause });
    expect(succeed(probing, 1_020, settings)).toEqual({ kind: "in", tries: 1, since: 1_020 });
  });

  test("each time without an ejection makes up for one, with the next success", () => {
    const after: EjectionPhase = { kind: "in", tries: 2, since: 5_000 };
    expect(succeed(after, 5_999, settings)).toBe(after);
    const next = succeed(after, 6_000, settings);
    expect(next).toEqual({ kind: "in", tries: 1, since: 6_000 });
    expect(succeed(next, 6_500, settings)).toBe(next);
    expect(succeed(next, 7_500, settings)).toEqual({ kind: "in", tries: 0, since: 7_500 });
  });
});

describe("maxEjected", () => {
  test.each([
    [0, 0.5, 0],
    [1, 1, 0],
    [2, 0.1, 1],
    [3, 0.5, 1],
    [10, 0.5, 5],
    [10, 0.05, 1],
    [10, 1, 9],
    [10, 0, 1],
  ])("of %i members, share %f: %i", (members, share, expected) => {
    expect(maxEjected(members, share)).toBe(expected);
  });

  test("is never all of them, and within the share apart from the first", () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.double({ min: 0, max: 1, noNaN: true }), (members, share) => {
        const max = maxEjected(members, share);
        expect(max).toBeGreaterThanOrEqual(0);
        if (members > 0) expect(max).toBeLessThan(members);
        expect(max).toBeLessThanOrEqual(Math.max(1, members * share));
      }),
    );
  });
});
