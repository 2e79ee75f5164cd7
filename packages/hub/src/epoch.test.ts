import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createEpoch } from "./epoch.ts";

const generation = fc.integer({ min: 0, max: 36 ** 9 - 1 });
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

// R4.1
test("epochs sort like their generations, whatever their tails are", () => {
  fc.assert(
    fc.property(generation, generation, chance, chance, (a, b, first, second) => {
      fc.pre(a < b);
      expect(createEpoch(a, () => first) < createEpoch(b, () => second)).toBe(true);
    }),
  );
});

// R4.1: the order is kept across an upgrade and across a return to an earlier version.
test("an epoch has the same form as in earlier versions, which used the wall clock", () => {
  const at = Date.UTC(2026, 10, 28);
  expect(createEpoch(at, () => 0)).toBe(`${at.toString(36).padStart(9, "0")}-00000`);
});

test("two runs of one generation have different epochs", () => {
  expect(createEpoch(7, () => 0.25)).not.toBe(createEpoch(7, () => 0.75));
});

test.each([-1, 0.5, Number.NaN, 36 ** 9])("rejects %s as a generation", (wrong) => {
  expect(() => createEpoch(wrong, () => 0)).toThrow(RangeError);
});
