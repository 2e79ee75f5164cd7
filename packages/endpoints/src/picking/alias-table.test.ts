import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AliasTable } from "./alias-table.ts";

describe("AliasTable", () => {
  test("draws each index with the probability of its weight", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0.01, max: 100, noNaN: true }), { minLength: 1, maxLength: 15 }),
        (weights) => {
          const table = new AliasTable(weights);
          const steps = 1_000;
          const counts = weights.map(() => 0);
          // All numbers of an even grid in [0, 1), instead of random ones: exact up to one step at each border.
          for (let i = 0; i < steps * weights.length; i++) {
            counts[table.draw(i / (steps * weights.length))]! += 1;
          }
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          for (const [i, weight] of weights.entries()) {
            const share = counts[i]! / (steps * weights.length);
            expect(Math.abs(share - weight / total)).toBeLessThan(2 / steps);
          }
        },
      ),
    );
  });
});
