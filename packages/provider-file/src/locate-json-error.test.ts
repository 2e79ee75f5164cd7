import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { locateJsonError } from "./locate-json-error.ts";

describe("locateJsonError", () => {
  test.each([
    ["", 0],
    ["  \n", 3],
    ["{", 1],
    ['{"a"', 4],
    ['{"a":1,}', 7],
    ["[1,]", 3],
    ["[1 2]", 3],
    ['{"a" 1}', 5],
    ["{a:1}", 1],
    ["[1]]", 3],
    ["[1}", 2],
    ["01", 1],
    ['"\u0000"', 0],
    ['"unfinished', 0],
    ["nul", 0],
    ["[true, undefined]", 7],
  ])("%j is wrong at %d", (text, offset) => {
    expect(locateJsonError(text)).toBe(offset);
  });

  test("finds no error in a text that JSON.parse accepts", () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(0, 2), (json, indent) => {
        expect(locateJsonError(JSON.stringify(JSON.parse(json), undefined, indent))).toBeUndefined();
      }),
    );
  });

  test("finds an error exactly when JSON.parse throws", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"\\u00e9"',
      '"\\x"',
      "1",
      "-",
      "1.5e3",
      "null",
      " ",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        expect(locateJsonError(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
