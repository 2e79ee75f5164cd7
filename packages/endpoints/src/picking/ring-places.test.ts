import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RingPlaces } from "./ring-places.ts";

type Place = readonly [hash: number, slot: number];

const place = fc.tuple(fc.oneof(fc.nat(50), fc.integer({ min: 0, max: 2 ** 32 - 1 })), fc.nat(9));

const placesOf = (list: readonly Place[]) =>
  RingPlaces.from(
    Uint32Array.from(list, ([hash]) => hash),
    Int32Array.from(list, ([, slot]) => slot),
  );

const listOf = (places: RingPlaces): Place[] =>
  Array.from({ length: places.size }, (_, i) => [places.hashAt(i), places.slotAt(i)]);

const sorted = (list: readonly Place[]) => list.toSorted(([a, b], [c, d]) => a - c || b - d);

describe("RingPlaces", () => {
  test("are sorted, and merged without those of removed owners", () => {
    fc.assert(
      fc.property(fc.array(place), fc.array(place), fc.nat(9), (before, added, removed) => {
        const merged = placesOf(before).merge((slot) => slot !== removed, placesOf(added));
        const hashes = listOf(merged).map(([hash]) => hash);
        expect(hashes).toEqual(hashes.toSorted((a, b) => a - b));
        const expected = [...before.filter(([, slot]) => slot !== removed), ...added];
        expect(sorted(listOf(merged))).toEqual(sorted(expected));
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
