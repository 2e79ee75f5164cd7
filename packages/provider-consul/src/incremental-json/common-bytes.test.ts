import * as fc from "fast-check";
import { expect, test } from "vitest";
import { commonPrefix, commonSuffix } from "./common-bytes.ts";

test("counts common bytes within and across the compared blocks", () => {
  const filler = Buffer.alloc(140_000, "x");
  fc.assert(
    fc.property(fc.nat(140_000), fc.nat(140_000), fc.string(), fc.string(), (a, b, left, right) => {
      const common = filler.subarray(0, a);
      const end = filler.subarray(0, b);
      const one = Buffer.concat([common, Buffer.from(`1${left}1`), end]);
      const two = Buffer.concat([common, Buffer.from(`2${right}2`), end]);
      expect(commonPrefix(one, two)).toBe(a);
      expect(commonSuffix(one, two, Math.min(one.length, two.length) - a)).toBe(b);
    }),
  );
  expect(commonPrefix(filler, filler)).toBe(140_000);
  expect(commonSuffix(filler, filler, 5)).toBe(5);
  expect(commonPrefix(Buffer.alloc(0), filler)).toBe(0);
});
