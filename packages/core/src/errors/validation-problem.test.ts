import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { clusterNodeSchema } from "../model/cluster-node-schema.ts";
import { providerIdSchema } from "../model/provider-id-schema.ts";
import { secretReferenceSchema } from "../adapter-kit/secret-reference.ts";
import {
  describeForm,
  formatPath,
  toValidationProblems,
  type ValidationProblem,
} from "./validation-problem.ts";

function problemsOf(schema: z.ZodType, input: unknown): readonly ValidationProblem[] {
  const result = schema.safeParse(input);
  return result.success ? [] : toValidationProblems(result.error.issues, input);
}

function expectedFor(schema: z.ZodType, input: unknown): string | undefined {
  return problemsOf(schema, input)[0]?.expected;
}

describe("toValidationProblems", () => {
  test("distinguishes missing from malformed, and names unknown fields", () => {
    const schema = z.strictObject({ a: z.string(), b: z.strictObject({ c: z.array(z.int()) }) });
    // R1.1
    expect(problemsOf(schema, { b: { c: [1, "x"] }, d: "y", e: null })).toEqual([
      { path: "a", expected: "string", got: "nothing", code: "VALIDATION_MISSING_FIELD" },
      { path: "b.c[1]", expected: "number", got: "a string of 1 characters", code: "VALIDATION_MALFORMED" },
      { path: "d", expected: "no such field", got: "a string of 1 characters", code: "VALIDATION_MALFORMED" },
      { path: "e", expected: "no such field", got: "null", code: "VALIDATION_MALFORMED" },
    ]);
  });

  test("puts a prefix before every path, the input's own root included", () => {
    const result = z.strictObject({}).safeParse({ a: 1 });
    expect(toValidationProblems(result.error!.issues, { a: 1 }, ["providers", 2])[0]?.path).toBe(
      "providers[2].a",
    );
    const whole = z.string().safeParse(5);
    expect(toValidationProblems(whole.error!.issues, 5, ["providers", 2])[0]?.path).toBe("providers[2]");
  });

  test.each<[string, z.ZodType, unknown]>([
    ["at least 3 characters", z.string().min(3), "a"],
    ["at most 1 entries", z.array(z.int()).max(1), [1, 2]],
    ["more than 5", z.number().gt(5), 5],
    ["less than 5", z.number().lt(5), 5],
    ['"a" or "b"', z.enum(["a", "b"]), "c"],
    ["1", z.literal(1), 2],
    ["1", z.literal(1n), 2n],
    ["a string matching /^x$/", z.string().regex(/^x$/), "y"],
    ["a valid url", z.url(), "y"],
    ["a key of at most 1 characters", z.record(z.string().max(1), z.int()), { ab: 1 }],
    ["string, or number", z.union([z.string(), z.number()]), true],
    ["a: string, or b: string", z.union([z.object({ a: z.string() }), z.object({ b: z.string() })]), {}],
    ["this or that", z.union([z.string(), z.number()], { error: "this or that" }), true],
    ["nothing odd", z.array(z.int()).refine(() => false, "nothing odd"), []],
  ])("describes the expected value: %s", (expected, schema, input) => {
    expect(expectedFor(schema, input)).toBe(expected);
  });

  test("quotes a number only where a number is expected", () => {
    const schema = z.strictObject({
      port: z.int().max(9),
      ratio: z.int(),
      version: z.literal(1),
      name: z.string(),
    });
    const got = problemsOf(schema, { port: 10, ratio: 1.5, version: 2, name: 1234, pin: 1234 }).map(
      (problem) => problem.got,
    );
    expect(got).toEqual(["10", "1.5", "2", "a number", "a number"]);
  });

  test("stops at a hundred", () => {
    const input = Array.from({ length: 1_000 }, () => "x");
    expect(problemsOf(z.array(z.int()), input)).toHaveLength(100);
    const keys = Object.fromEntries(input.map((_, i) => [`k${i}`, i]));
    expect(problemsOf(z.strictObject({}), keys)).toHaveLength(100);
  });

  test("never quotes a text or number that is in the wrong place", () => {
    const CANARY = "hunter2";
    const PIN = 87_654_321;
    const canary = fc.constantFrom<unknown>(CANARY, [CANARY], { a: CANARY }, { env: [CANARY] }, PIN, [PIN]);
    const schema = z.strictObject({
      node: clusterNodeSchema,
      descriptor: z.strictObject({ id: providerIdSchema, kind: z.string(), params: z.looseObject({}) }),
      secret: secretReferenceSchema,
      url: z.url(),
      kind: z.enum(["a", "b"]),
      union: z.union([z.boolean(), z.strictObject({ a: z.null() })]),
      either: z.discriminatedUnion("t", [z.strictObject({ t: z.literal("x") })]),
      map: z.record(z.string().max(3), z.boolean()),
    });
    const field = fc.constantFrom(
      "id",
      "host",
      "zone",
      "tags",
      "metadata",
      "kind",
      "params",
      "t",
      "a",
      "other",
    );
    const input = fc.dictionary(
      fc.constantFrom("node", "descriptor", "secret", "url", "kind", "union", "either", "map", "other"),
      fc.oneof(canary, fc.dictionary(field, canary)),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(input, (value) => {
        const problems = problemsOf(schema, value);
        expect(problems.length).toBeGreaterThan(0);
        // R1.6
        expect(JSON.stringify(problems)).not.toMatch(/hunter2|87654321/);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("describeForm", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["true", true],
    ["a number", 5],
    ["a bigint", 5n],
    ["a string of 3 characters", "abc"],
    ["an array of 2", [1, 2]],
    ["an object", {}],
    ["an object", new Date(0)],
    ["a function", () => {}],
  ])("describes %s", (form, value) => {
    expect(describeForm(value)).toBe(form);
  });
});

describe("formatPath", () => {
  test.each<[string, readonly PropertyKey[]]>([
    ["", []],
    ["a", ["a"]],
    ["providers[2].params.token", ["providers", 2, "params", "token"]],
    ["[0].a-b.$c", [0, "a-b", "$c"]],
    ["metadata.0", ["metadata", "0"]],
    ['metadata["a.b"].c', ["metadata", "a.b", "c"]],
    ['["a\\nb"]', ["a\nb"]],
    ['[""]', [""]],
  ])("%s", (text, path) => {
    expect(formatPath(path)).toBe(text);
  });

  test("escapes line ends and terminal control characters", () => {
    expect(formatPath(["\n\u007f\u009b\u2028"])).toBe('["\\n\\u007f\\u009b\\u2028"]');
  });

  test("is one short line for any keys", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", maxLength: 200 }), { maxLength: 3 }), (path) => {
        const text = formatPath(path);
        expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(text.length).toBeLessThan(3 * (65 * 6 + 5));
      }),
    );
  });
});
