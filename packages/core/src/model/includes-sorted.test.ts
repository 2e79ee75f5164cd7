import * as fc from "fast-check";
import { expect, test } from "vitest";
import { includesSorted } from "./includes-sorted.ts";

test("finds exactly the elements of a sorted list", () => {
  expect(includesSorted(undefined, "a")).toBe(false);
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), fc.string(), (texts, other) => {
      const sorted = [...texts].sort();
      for (const text of [...texts, other]) expect(includesSorted(sorted, text)).toBe(texts.includes(text));
    }),
  );
});
