import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Lease } from "./lease.ts";

const START = Date.UTC(2026, 0, 1);
const ns = (ms: number) => BigInt(Math.round(ms * 1e6));

// R8.4
describe("Lease", () => {
  test("at the first sighting, the age of the file counts", () => {
    for (const [ageMs, leftMs] of [
      [0, 1_000],
      [400, 600],
      [1_000, 0],
      [5_000, -4_000],
    ] as const) {
      const lease = new Lease();
      lease.see({ mtimeNs: ns(START - ageMs), now: START, at: 50, previousAt: undefined });
      expect(lease.leftMs(1_000, 50)).toBe(leftMs);
    }
  });

  test("a modification time in the future counts as now", () => {
    const lease = new Lease();
    lease.see({ mtimeNs: ns(START + 3_600_000), now: START, at: 50, previousAt: undefined });
    expect(lease.leftMs(1_000, 50)).toBe(1_000);
    lease.see({ mtimeNs: ns(START + 3_600_000), now: START + 1_000, at: 1_050, previousAt: 50 });
    expect(lease.leftMs(1_000, 1_050)).toBe(0);
  });

  test("a touch prolongs the lease from the moment of the touch", () => {
    const lease = new Lease();
    lease.see({ mtimeNs: ns(START), now: START, at: 0, previousAt: undefined });
    lease.see({ mtimeNs: ns(START + 700), now: START + 900, at: 900, previousAt: 0 });
    expect(lease.leftMs(1_000, 900)).toBe(800);
  });

  test("an ended lease begins again with a touch", () => {
    const lease = new Lease();
    lease.see({ mtimeNs: ns(START), now: START + 60_000, at: 0, previousAt: undefined });
    expect(lease.leftMs(1_000, 0)).toBeLessThan(0);
    lease.see({ mtimeNs: ns(START + 61_000), now: START + 61_000, at: 1_000, previousAt: 0 });
    expect(lease.leftMs(1_000, 1_000)).toBe(1_000);
  });

  test("a jump of the wall clock ends no lease of a file that is touched, and keeps none that is not", () => {
    const jump = fc.integer({ min: -86_400_000, max: 86_400_000 });
    fc.assert(
      fc.property(fc.array(jump, { minLength: 1, maxLength: 20 }), (jumps) => {
        const [alive, dead] = [new Lease(), new Lease()];
        let now = START;
        let mtimeNs = ns(now);
        alive.see({ mtimeNs, now, at: 0, previousAt: undefined });
        dead.see({ mtimeNs, now, at: 0, previousAt: undefined });
        const first = mtimeNs;
        for (const [index, by] of jumps.entries()) {
          const at = (index + 1) * 300;
          // The file is touched with the clock as it was before the jump.
          now += 300;
          mtimeNs = ns(now);
          now += by;
          alive.see({ mtimeNs, now, at, previousAt: at - 300 });
          dead.see({ mtimeNs: first, now, at, previousAt: at - 300 });
          expect(alive.leftMs(1_000, at)).toBeGreaterThan(0);
          expect(dead.leftMs(1_000, at)).toBe(1_000 - at);
        }
      }),
    );
  });
});
