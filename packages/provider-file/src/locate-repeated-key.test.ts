import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { locateRepeatedKey } from "./locate-repeated-key.ts";

describe("locateRepeatedKey", () => {
  test.each([
    ['{"a":1,"a":2}', 7],
    ['{"a":1, "b":2,\n "a":3}', 16],
    ['[{"a":1},{"b":{"c":[],"c":1}}]', 22],
    ['{"a":1,"\\u0061":2}', 7],
    ['{"__proto__":1,"__proto__":2}', 15],
    ['{"":1,"":2}', 6],
  ])("finds the second one in %j", (text, offset) => {
    expect(locateRepeatedKey(text)).toBe(offset);
  });

  test.each([
    '{"a":"a","b":{"a":["a","a"]}}',
    '[{"a":1},{"a":1}]',
    '{"a":"{\\"a\\":1,\\"a\\":2}"}',
    "[]",
    "1",
  ])("finds none in %j", (text) => {
    expect(locateRepeatedKey(text)).toBeUndefined();
  });

  test("finds none in any output of JSON.stringify", () => {
    fc.assert(fc.property(fc.json(), (text) => locateRepeatedKey(text) === undefined));
  });
});
