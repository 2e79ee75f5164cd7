import { describe, expect, test } from "vitest";
import { fieldOf, listOf } from "./json-field.ts";

describe("fieldOf and listOf", () => {
  test("read a field of an object", () => {
    expect(fieldOf({ a: 0 }, "a")).toBe(0);
    expect(listOf({ a: [1] }, "a")).toEqual([1]);
  });

  test.each([undefined, null, "text", 7, true, [], {}, { a: null }])("find none in %j", (value) => {
    expect(fieldOf(value, "a") ?? undefined).toBeUndefined();
    expect(listOf(value, "a")).toEqual([]);
  });
});
