import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { JsonArrayScanner } from "./json-array-scanner.ts";

/** Returns the texts of the elements; undefined when the text is not a complete array. */
function split(text: string): readonly string[] | undefined {
  const bytes = Buffer.from(text);
  const from = JsonArrayScanner.open(bytes);
  if (from < 0) return undefined;
  const scanner = new JsonArrayScanner(bytes, from, false);
  const texts: string[] = [];
  for (let span = scanner.next(bytes.length); span !== undefined; span = scanner.next(bytes.length))
    texts.push(bytes.toString("utf8", span.start, span.end));
  return scanner.isAtEnd ? texts : undefined;
}

describe("JsonArrayScanner", () => {
  test("finds the same elements as JSON.parse, with any white space", () => {
    const spacing = fc.constantFrom<number | string>(0, 2, "\t", "\n");
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), spacing, (values, space) => {
        const parsed = split(`${JSON.stringify(values, undefined, space)}\n`)?.map((text) =>
          JSON.parse(text),
        );
        expect(JSON.stringify(parsed)).toBe(JSON.stringify(values));
      }),
    );
  });

  test.each([
    "",
    "{}",
    '"[]"',
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[1 ,, 2]",
    "[{} {}]",
    '["a]',
    "[{]",
    "[1]x",
    "[[1]",
  ])("does not accept %j as an array", (text) => {
    expect(split(text)).toBeUndefined();
  });
});
