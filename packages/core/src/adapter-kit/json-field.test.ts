import { describe, expect, test } from "vitest";
import { fieldOf, listOf, textOf } from "./json-field.ts";

describe("fieldOf, textOf and listOf", () => {
  test("read a field of an object", () => {
    expect(fieldOf({ a: 0 }, "a")).toBe(0);
    expect(textOf({ a: "b" }, "a")).toBe("b");
    expect(listOf({ a: [1] }, "a")).toEqual([1]);
  });

  test.each([undefined, null, "text", 7, true, [], {}, { a: null }])("find nothing in %j", (value) => {
    expect(fieldOf(value, "a") ?? undefined).toBeUndefined();
    expect(textOf(value, "a")).toBeUndefined();
    expect(listOf(value, "a")).toEqual([]);
  });

  test("ignore inherited properties, and find own ones with the same names", () => {
    for (const name of ["constructor", "__proto__", "toString"]) {
      expect(fieldOf({}, name)).toBeUndefined();
      expect(fieldOf(JSON.parse(`{"${name}": 1}`), name)).toBe(1);
    }
  });
});
