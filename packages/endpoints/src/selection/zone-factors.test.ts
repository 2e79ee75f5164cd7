import type { ClusterNode } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodes } from "../../test/scripted-topology.ts";
import { weightOf } from "./weight-of.ts";
import { toZoneFactors, zoneOf } from "./zone-factors.ts";

/** The share of the calls of each zone, if the nodes are picked by their weights and these factors. */
function sharesOf(
  inUse: readonly ClusterNode[],
  factors: ReadonlyMap<string, number>,
): Record<string, number> {
  const sums: Record<string, number> = {};
  let total = 0;
  for (const each of inUse) {
    const weight = weightOf(each) * (factors.get(zoneOf(each)) ?? 0);
    sums[zoneOf(each)] = (sums[zoneOf(each)] ?? 0) + weight;
    total += weight;
  }
  return Object.fromEntries(Object.entries(sums).map(([zone, sum]) => [zone, sum / total]));
}

/** Zones such as `aabb`: one letter for each node. */
const inZones = (zones: string) => nodes(zones.length, (i) => ({ zone: zones[i] }));

describe("toZoneFactors", () => {
  test("realises the shares, with the factor 1 for the own zone", () => {
    const all = inZones("abbb");
    const factors = toZoneFactors({ zone: { own: "a" }, candidates: all, subset: all, inUse: all });
    expect(factors.get("a")).toBe(1);
    // Within the rounding of weights.
    expect(sharesOf(all, factors)["a"]).toBeCloseTo(0.5, 1);
  });

  test("a zone loses capacity with its ejected members, so that calls spill over", () => {
    const all = inZones("aaaabbbb");
    const inUse = all.slice(2);
    const factors = toZoneFactors({ zone: { own: "a" }, candidates: all, subset: all, inUse });
    // 2 of 6 healthy members for half of the callers.
    expect(sharesOf(inUse, factors)["a"]).toBeCloseTo(2 / 3, 1);
  });

  test("ejected members of a subset count for the whole zone", () => {
    const all = inZones("a".repeat(100) + "b".repeat(100));
    const subset = [...all.slice(0, 10), ...all.slice(100, 110)];
    const inUse = subset.slice(5);
    const factors = toZoneFactors({ zone: { own: "a" }, candidates: all, subset, inUse });
    expect(sharesOf(inUse, factors)["a"]).toBeCloseTo(2 / 3, 1);
  });

  test("uses the other zones when no local member is left", () => {
    const all = inZones("abb");
    const factors = toZoneFactors({ zone: { own: "a" }, candidates: all, subset: all, inUse: all.slice(1) });
    expect([...factors]).toEqual([["b", 1]]);
  });

  test("every zone gets its share to within the rounding, and one always gets calls", () => {
    const zone = fc.constantFrom("a", "b", "c", undefined);
    const field = fc.record({ zone, weight: fc.integer({ min: 1, max: 9 }) });
    fc.assert(
      fc.property(fc.array(field, { minLength: 1, maxLength: 30 }), (fields) => {
        const all = nodes(fields.length, (i) => fields[i]!);
        const factors = toZoneFactors({ zone: { own: "a" }, candidates: all, subset: all, inUse: all });
        expect(factors.size).toBeGreaterThan(0);
        const sums = sharesOf(all, factors);
        expect(Object.values(sums).reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
        const zones = new Set(all.map(zoneOf));
        const total = fields.reduce((sum, { weight }) => sum + weight, 0);
        const local = fields.filter((each) => each.zone === "a").reduce((sum, { weight }) => sum + weight, 0);
        const named = new Set([...zones, "a"].filter((each) => each !== ""));
        expect(sums["a"] ?? 0).toBeCloseTo(Math.min(1, (local / total) * named.size), 1);
      }),
    );
  });
});
