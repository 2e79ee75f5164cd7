import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import { configJsonSchema, topologyJsonSchema } from "./config-json-schema.ts";
import { loadConfig } from "./load-config.ts";

const quickstart = join(import.meta.dirname, "../../../../examples/quickstart");

async function readJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(quickstart, name), "utf8"));
}

describe("the JSON Schemas", () => {
  test("that are checked in with the quickstart are up to date", async () => {
    expect(await readJson("holdfast.schema.json")).toEqual(configJsonSchema(createBuiltInAdapters(".")));
    expect(await readJson("topology.schema.json")).toEqual(topologyJsonSchema());
  });

  test("contain the parameters of every kind, with descriptions for editors", () => {
    const schema = configJsonSchema(createBuiltInAdapters("."));
    expect(schema).toMatchObject({
      properties: {
        providers: {
          items: {
            oneOf: expect.arrayContaining([
              expect.objectContaining({
                properties: expect.objectContaining({
                  kind: expect.objectContaining({ const: "file" }),
                  params: expect.objectContaining({ required: ["path"] }),
                }),
                required: ["id", "kind", "priority", "params"],
              }),
            ]),
          },
        },
        health: { properties: { timeoutMs: { default: 15_000, minimum: 1 } } },
      },
      additionalProperties: false,
    });
    for (const { kind } of createBuiltInAdapters(".")) {
      expect(JSON.stringify(schema)).toContain(`"const":"${kind}"`);
    }
    for (const property of Object.values(schema["properties"] ?? {})) {
      expect(property).toHaveProperty("description");
    }
  });

  test("are referred to by the quickstart's files, which are valid", async () => {
    const text = await readFile(join(quickstart, "holdfast.yaml"), "utf8");
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=./holdfast.schema.json");
    const { providers } = await loadConfig(join(quickstart, "holdfast.yaml"));
    expect(providers).toMatchObject([{ id: "primary" }, { id: "backup" }]);
    for (const name of ["topology/primary.json", "topology/backup.json"]) {
      expect(await readJson(name)).toMatchObject({ $schema: "../topology.schema.json" });
    }
  });
});
