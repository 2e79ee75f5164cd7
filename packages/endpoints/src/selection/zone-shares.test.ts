import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shareZones } from "./zone-shares.ts";

const share = (own: string, capacities: Record<string, number>, callers?: Record<string, number>) =>
  Object.fromEntries(
    shareZones({
      own,
      capacities: new Map(Object.entries(capacities)),
      callers: callers && new Map(Object.entries(callers)),
    }),
  );

describe("shareZones", () => {
  test.each<[string, Record<string, number>, Record<string, number> | undefined, Record<string, number>]>([
    // Capacity suffices: all calls stay.
    ["a", { a: 10, b: 10 }, undefined, { a: 1 }],
    ["a", { a: 30, b: 10 }, undefined, { a: 1 }],
    ["a", { a: 10 }, undefined, { a: 1 }],
    // A quarter of the capacity for half of the callers: half of the calls stay.
    ["a", { a: 10, b: 30 }, undefined, { a: 0.5, b: 0.5 }],
    // The rest goes to the zones with a surplus, in proportion: b has 0.4 - 1/3, c 0.5 - 1/3.
    ["a", { a: 10, b: 40, c: 50 }, undefined, { a: 0.3, b: 0.2, c: 0.5 }],
    // No capacity in the own zone.
    ["a", { b: 10, c: 30 }, undefined, { c: 1 }],
    ["a", { a: 0, b: 10 }, undefined, { b: 1 }],
    // Members without a zone have no callers, so all of their capacity is surplus.
    ["a", { a: 10, "": 10 }, undefined, { a: 0.5, "": 0.5 }],
    // Known callers.
    ["a", { a: 10, b: 30 }, { a: 1, b: 3 }, { a: 1 }],
    ["a", { a: 10, b: 10 }, { a: 3, b: 1 }, { a: 2 / 3, b: 1 / 3 }],
    // Without this client among the callers, the numbers are not used.
    ["a", { a: 10, b: 30 }, { b: 3 }, { a: 0.5, b: 0.5 }],
    // Callers in a zone without members use the surplus of others.
    ["a", { a: 10, b: 10 }, { a: 1, b: 1, c: 2 }, { a: 1 }],
    ["a", {}, undefined, {}],
  ])("%s of %o, callers %o: %o", (own, capacities, callers, expected) => {
    // R8.1
    const shares = share(own, capacities, callers);
    expect(Object.keys(shares).sort()).toEqual(Object.keys(expected).sort());
    for (const [zone, value] of Object.entries(expected)) expect(shares[zone]).toBeCloseTo(value, 10);
  });

  test("if every client follows it, all zones get the same load for their capacity", () => {
    const zones = ["a", "b", "c", "d"];
    const perZone = fc.tuple(
      ...zones.map(() => fc.record({ capacity: fc.integer({ min: 1, max: 100 }), callers: fc.nat(100) })),
    );
    fc.assert(
      fc.property(perZone, (parts) => {
        const callers = new Map(parts.map((part, i) => [zones[i]!, part.callers]));
        const capacities = new Map(parts.map((part, i) => [zones[i]!, part.capacity]));
        const load = new Map(zones.map((zone) => [zone, 0]));
        for (const [own, count] of callers) {
          if (count === 0) continue;
          const shares = shareZones({ own, capacities, callers });
          expect([...shares.values()].reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9);
          for (const [zone, value] of shares) load.set(zone, load.get(zone)! + count * value);
        }
        const totalLoad = parts.reduce((sum, part) => sum + part.callers, 0);
        const totalCapacity = parts.reduce((sum, { capacity }) => sum + capacity, 0);
        if (totalLoad === 0) return;
        for (const [i, zone] of zones.entries()) {
          expect(load.get(zone)! / totalLoad).toBeCloseTo(parts[i]!.capacity / totalCapacity, 9);
        }
      }),
    );
  });
});
