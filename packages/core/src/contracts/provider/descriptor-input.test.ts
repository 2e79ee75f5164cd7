import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findDescriptorProblems, isDescriptorInput } from "./descriptor-input.ts";

const good = { id: "eu-1.a_b", kind: "file", priority: -5, params: { path: "x", nested: { deep: [1] } } };

function problemsOf(changes: object): unknown {
  return findDescriptorProblems({ ...good, ...changes }).map(({ path, expected, got, code }) => [
    path,
    expected,
    got,
    code,
  ]);
}

describe("a submitted descriptor", () => {
  test("is accepted when every field is valid; params are left to the adapter", () => {
    expect(findDescriptorProblems(good)).toEqual([]);
    expect(isDescriptorInput(good)).toBe(true);
    expect(problemsOf({ priority: 1_000_000, kind: "k".repeat(63), params: {} })).toEqual([]);
    expect(problemsOf({ priority: -1_000_000 })).toEqual([]);
  });

  test("is refused with every problem, in the order of the fields", () => {
    const input = { id: "-x", priority: 1.5, params: [], disabled: {} };
    // R1.1
    expect(findDescriptorProblems(input, ["providers", 2])).toEqual([
      {
        path: "providers[2].id",
        expected: "a string matching /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/",
        got: "a string of 2 characters",
        code: "VALIDATION_MALFORMED",
      },
      { path: "providers[2].kind", expected: "string", got: "nothing", code: "VALIDATION_MISSING_FIELD" },
      { path: "providers[2].priority", expected: "int", got: "1.5", code: "VALIDATION_MALFORMED" },
      { path: "providers[2].params", expected: "record", got: "an array of 0", code: "VALIDATION_MALFORMED" },
      {
        path: "providers[2].disabled",
        expected: "no such field",
        got: "an object",
        code: "VALIDATION_MALFORMED",
      },
    ]);
    expect(isDescriptorInput(input)).toBe(false);
  });

  test.each([
    ["id", 1234, "string", "a number"],
    ["kind", "", "at least 1 characters", "a string of 0 characters"],
    ["kind", "k".repeat(64), "at most 63 characters", "a string of 64 characters"],
    ["kind", 1234, "string", "a number"],
    ["priority", 1_000_001, "at most 1000000", "1000001"],
    ["priority", -1_000_001, "at least -1000000", "-1000001"],
    ["priority", "5", "number", "a string of 1 characters"],
    ["priority", Number.NaN, "int", "NaN"],
    ["params", null, "record", "null"],
    ["params", "x", "record", "a string of 1 characters"],
  ])("is refused when %s is %j", (field, value, expected, got) => {
    expect(problemsOf({ [field]: value })).toEqual([[field, expected, got, "VALIDATION_MALFORMED"]]);
  });

  test.each([null, undefined, "a", 5, []])("is refused as a whole when it is %j", (data) => {
    expect(findDescriptorProblems(data)).toEqual([expect.objectContaining({ path: "", expected: "object" })]);
  });

  test("never quotes a text or number that is in the wrong place", () => {
    const canary = fc.constantFrom<unknown>("hunter2", ["hunter2"], { a: "hunter2" }, 87_654_321);
    const field = fc.constantFrom("id", "kind", "params", "other", "token");
    fc.assert(
      fc.property(fc.dictionary(field, canary), (changes) => {
        // R1.6
        expect(JSON.stringify(problemsOf({ ...changes, priority: "hunter2" }))).not.toMatch(
          /hunter2|87654321/,
        );
      }),
    );
  });

  test("does not include inherited fields, and at most 100 problems are named", () => {
    expect(problemsOf({ constructor: 1 })).toEqual([
      ["constructor", "no such field", "a number", "VALIDATION_MALFORMED"],
    ]);
    const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i]));
    expect(problemsOf(many)).toHaveLength(100);
  });
});
