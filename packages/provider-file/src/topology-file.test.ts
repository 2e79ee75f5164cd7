import * as z from "zod";
import { describe, expect, test } from "vitest";
import { createMembersReader } from "./members-reader.ts";
import { topologyFileSchema } from "./topology-file.ts";

describe("topologyFileSchema", () => {
  test("can be converted to a JSON Schema with the fields of a member", () => {
    expect(z.toJSONSchema(topologyFileSchema, { io: "input" })).toMatchObject({
      type: "object",
      required: ["members"],
      additionalProperties: false,
      properties: {
        $schema: { type: "string" },
        version: { const: 1 },
        members: { type: "array", items: { required: ["id", "host", "port"], additionalProperties: false } },
      },
    });
  });

  test.each([
    { members: [] },
    { $schema: "./topology.schema.json", version: 1, members: [{ id: "a", host: "h", port: 1 }] },
    { version: 2, members: [] },
    { members: [{ id: "a" }] },
    { member: [] },
    [],
  ])("accepts %j exactly when the adapter does", (file) => {
    expect(topologyFileSchema.safeParse(file).success).toBe(isAccepted(file));
  });
});

function isAccepted(file: unknown): boolean {
  try {
    createMembersReader()(file);
    return true;
  } catch {
    return false;
  }
}
