import { describe, expect, test } from "vitest";
import { parseJson } from "./parse-json.ts";

describe("parseJson", () => {
  test.each(["", "{", "undefined", "hunter2", '{"a":1}x'])("returns undefined for %j", (text) => {
    expect(parseJson(text)).toBeUndefined();
  });

  test.each([null, 0, "text", [1], { a: {} }])("parses %j", (value) => {
    expect(parseJson(JSON.stringify(value))).toEqual(value);
  });
});
