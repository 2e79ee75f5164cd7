import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { defineAdapter } from "@holdfast/core/adapter";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import * as z from "zod";
import { createBuiltInAdapters } from "../../adapters/built-in-adapters.ts";
import { loadConfig } from "../load-config.ts";
import { configJsonSchema, topologyJsonSchema, type JsonSchema } from "./config-json-schema.ts";

const quickstart = join(import.meta.dirname, "../../../../../examples/quickstart");

async function readJson(name: string): Promise<unknown> {
  return JSON.parse(await readFile(join(quickstart, name), "utf8"));
}

/** A kind whose parameters have two forms, and that can list services. */
const catalog = defineAdapter({
  kind: "a/b",
  params: z.union([
    z.strictObject({ url: z.string().describe("Where it is."), service: z.string().regex(/^[a-z]+$/) }),
    z.strictObject({ socket: z.string(), service: z.string() }),
  ]),
  open: notUsed,
  discovery: { params: z.strictObject({ url: z.string(), "t~g": z.string() }), open: notUsed },
});

function notUsed(): never {
  throw new Error("this test opens nothing");
}

const adapters = [...createBuiltInAdapters({}), catalog.createAdapter()];

/** Validates YAML as an editor does. */
function createEditor(schema: JsonSchema = configJsonSchema(adapters)) {
  const validate = new Ajv2020({ strict: false }).compile(schema);
  return (text: string) => validate(parse(text));
}

describe("the JSON Schemas", () => {
  test("that are checked in with the quickstart are up to date", async () => {
    expect(await readJson("holdfast.schema.json")).toEqual(configJsonSchema(createBuiltInAdapters({})));
    expect(await readJson("topology.schema.json")).toEqual(topologyJsonSchema());
  });

  test("contain the parameters of every kind, with descriptions for editors", () => {
    const schema = configJsonSchema(adapters);
    expect(schema).toMatchObject({
      properties: { health: { $ref: "#/$defs/health" } },
      additionalProperties: false,
      $defs: {
        "params.file": { required: ["path"] },
        "params.a/b": { anyOf: [{ properties: { url: { description: "Where it is." } } }, {}] },
        health: { properties: { timeoutMs: { default: 15_000, minimum: 1 } } },
      },
    });
    for (const { kind } of adapters) expect(JSON.stringify(schema)).toContain(`"const":"${kind}"`);
    for (const property of Object.values(schema["properties"] ?? {})) {
      expect(property).toHaveProperty("description");
    }
  });

  test.each([
    "{}",
    "providers: [{ id: a, kind: file, priority: 1, params: { path: a.json } }]",
    "providers: [{ id: a, kind: memory, params: {} }]",
    "backends: { c: { kind: consul, token: { env: T } }, k: { kind: kubernetes, namespace: shop }, x: { kind: a/b, socket: s } }",
    "topologies: { orders: { providers: [{ backend: c, service: orders, tags: [a] }, { backend: k, id: k, priority: 1, selector: x }] } }",
    "topologies: { orders: { required: false, health: { maxErrors: 1 }, guards: { massRemoval: false }, lastKnownGood: false } }",
    'discover: [{ from: [{ backend: x, url: u, "t~g": a }], providers: [{ backend: k, service: "{service}", port: "{service}" }] }]',
    'discover: [{ from: [{ backend: x, url: u }], topology: "a-{service}", providers: [{ id: "{service}", kind: kubernetes, params: { service: "{service}" } }] }]',
  ])("an editor accepts %s", (text) => {
    expect(createEditor()(text)).toBe(true);
  });

  test.each([
    "providers: [{ id: a, kind: file, priority: 1, params: {} }]",
    "providers: [{ id: a, kind: none, params: {} }]",
    "backends: { c: { kind: consul, token: abc } }",
    "backends: { c: { kind: consul, url: abc } }",
    "backends: { c: { address: abc } }",
    "backends: { 'a b': { kind: consul } }",
    "topologies: { 'a/b': {} }",
    "topologies: { orders: { provider: [] } }",
    "topologies: { orders: { providers: [{ backend: c, servce: x }] } }",
    "topologies: { orders: { providers: [{ backend: k, service: 5 }] } }",
    "topologies: { orders: { health: { maxErrors: 0 } } }",
    "discover: [{ providers: [] }]",
    "discover: [{ from: [{ backend: x, tga: u }], providers: [{ backend: k }] }]",
    "discover: [{ from: [{ backend: x }], providers: [{ backend: k, service: 5 }] }]",
  ])("an editor refuses %s", (text) => {
    expect(createEditor()(text)).toBe(false);
  });

  test("with the backends of a file, an entry has the parameters of its backend's kind", () => {
    const backends = new Map([
      ["c", { kind: "consul", params: {} }],
      ["x", { kind: "a/b", params: {} }],
    ]);
    const isValid = createEditor(configJsonSchema(adapters, backends));
    const withEntry = (entry: string) => isValid(`topologies: { orders: { providers: [${entry}] } }`);
    expect(withEntry("{ backend: c, service: X, tags: [a] }")).toBe(true);
    expect(withEntry("{ backend: x, service: X, tags: [a] }")).toBe(false);
    expect(withEntry("{ backend: y, service: X }")).toBe(false);
    expect(withEntry("{ id: m, kind: memory, params: {} }")).toBe(true);
  });

  test("are referred to by the quickstart's files, which are valid", async () => {
    const text = await readFile(join(quickstart, "holdfast.yaml"), "utf8");
    expect(text.split("\n")[0]).toBe("# yaml-language-server: $schema=./holdfast.schema.json");
    const { topologies } = await loadConfig(join(quickstart, "holdfast.yaml"));
    expect(topologies).toMatchObject([{ providers: [{ id: "primary" }, { id: "backup" }] }]);
    expect(createEditor()(text)).toBe(true);
    for (const name of ["topology/primary.json", "topology/backup.json"]) {
      expect(await readJson(name)).toMatchObject({ $schema: "../topology.schema.json" });
    }
  });
});
