import * as z from "zod";
import { describe, expect, test } from "vitest";
import { fileParamsSchema, formatOf } from "./file-params.ts";

describe("fileParamsSchema", () => {
  test("fills in the defaults", () => {
    expect(fileParamsSchema.parse({ path: "topology.json" })).toEqual({
      path: "topology.json",
      format: "auto",
      pollMs: 1_000,
      settleMs: 150,
      maxBytes: 67_108_864,
    });
  });

  test("refuses unknown fields", () => {
    expect(fileParamsSchema.safeParse({}).success).toBe(false);
    expect(fileParamsSchema.safeParse({ path: "a.json", interval: 1 }).success).toBe(false);
    expect(fileParamsSchema.safeParse({ path: "a.json", pollMs: 0 }).success).toBe(false);
  });

  test("a path without a known extension requires a format", () => {
    expect(fileParamsSchema.safeParse({ path: "topology" }).error?.issues).toMatchObject([
      { path: ["path"] },
    ]);
    expect(fileParamsSchema.safeParse({ path: "topology", format: "yaml" }).success).toBe(true);
  });

  test.each([
    ["a.json", "auto", "json"],
    ["a.YAML", "auto", "yaml"],
    ["a.yml", "auto", "yaml"],
    ["a.json", "yaml", "yaml"],
  ] as const)("%s as %s is %s", (path, format, expected) => {
    expect(formatOf({ path, format })).toBe(expected);
  });

  test("its JSON Schema describes every parameter with its default", () => {
    const schema = z.toJSONSchema(fileParamsSchema, { io: "input" });
    expect(schema).toMatchObject({ required: ["path"], additionalProperties: false });
    for (const property of Object.values(schema.properties ?? {})) {
      expect(property).toHaveProperty("description");
    }
  });
});
