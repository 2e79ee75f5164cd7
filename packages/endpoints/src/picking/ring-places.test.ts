import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RingPlaces } from "./ring-places.ts";

type Place = readonly [hash: number, slot: number];

const place = fc.tuple(fc.oneof(fc.nat(50), fc.integer({ min: 0, max: 2 ** 32 - 1 })), fc.nat(9));
const isSamePlace = ([a, b]: Place, [c, d]: Place) => a === c && b === d;
const placeSet = fc.uniqueArray(place, { comparator: isSamePlace, maxLength: 100 });

const placesOf = (list: readonly Place[]) =>
  RingPlaces.from(
    Uint32Array.from(list, ([hash]) => hash),
    Int32Array.from(list, ([, slot]) => slot),
  );

const listOf = (places: RingPlaces): Place[] =>
  Array.from({ length: places.size }, (_, i) => [places.hashAt(i), places.slotAt(i)]);

const sorted = (list: readonly Place[]) => list.toSorted(([a, b], [c, d]) => a - c || b - d);

describe("RingPlaces", () => {
  test("are sorted, and stay so when some are replaced", () => {
    fc.assert(
      fc.property(placeSet, placeSet, fc.array(fc.boolean()), (before, others, flags) => {
        const removed = before.filter((_, i) => flags[i] === true);
        const added = others.filter((each) => !before.some((one) => isSamePlace(one, each)));
        const places = placesOf(before);
        expect(listOf(places)).toEqual(sorted(before));
        const replaced = places.replace(placesOf(removed), placesOf(added));
        const expected = sorted([...before.filter((_, i) => flags[i] !== true), ...added]);
        expect(listOf(replaced)).toEqual(expected);
        // The search uses what was carried over from the places before.
        for (const [i, [hash]] of expected.entries()) {
          const first = expected.findIndex(([each]) => each === hash);
          expect(replaced.indexOf(hash), `place ${i}`).toBe(first);
        }
      }),
    );
  });

  test("finds the first place at or after a hash", () => {
    fc.assert(
      fc.property(
        fc.array(place, { maxLength: 30 }),
        fc.oneof(fc.nat(60), fc.nat(2 ** 32 - 1)),
        (list, hash) => {
          const places = placesOf(list);
          const hashes = listOf(places).map(([each]) => each);
          const expected = hashes.findIndex((each) => each >= hash);
          expect(places.indexOf(hash)).toBe(expected === -1 ? list.length : expected);
        },
      ),
    );
  });
});
