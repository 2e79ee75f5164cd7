import {
  assertUnpolluted,
  allTextOf,
  findSecret,
  fuzzRuns,
  mutateBytes,
  mutateJson,
  outcomeOf,
  type Outcome,
} from "@holdfast/testing";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import { toErrorDocument, toErrorLines } from "../output/error-lines.ts";
import { createPaint } from "../output/paint.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { loadConfig, type LoadedConfig } from "./load-config.ts";

const SECRET = "canary-7f3a9c-secret";
const adapters = createBuiltInAdapters({});
const paint = createPaint({ isTty: false, env: {} });

const SOUND = {
  $schema: "./holdfast.schema.json",
  dataDir: "data",
  health: { timeoutMs: 15_000, standby: "warm" },
  validation: { probe: "warn" },
  http: { host: "127.0.0.1", port: 0 },
  log: { retainedEvents: 10 },
  shutdown: { drainMs: 0 },
  providers: [
    { id: "files", kind: "file", priority: 3, params: { path: "topology.yaml", pollMs: 500 } },
    { id: "consul", kind: "consul", priority: 2, params: { service: "web", token: { env: "TOKEN" } } },
    { id: "cluster", kind: "kubernetes", priority: 1, params: { service: "web", kubeconfig: { file: "k" } } },
  ],
};
/** A sound sample with several topologies. */
const MANY = {
  backends: {
    consul: { kind: "consul", addresses: ["http://10.0.0.5:8500"], token: { env: "TOKEN" } },
    shop: { kind: "kubernetes", namespace: "shop" },
  },
  topologies: {
    orders: {
      providers: [
        { backend: "consul", service: "orders" },
        { backend: "shop", service: "orders", id: "s" },
      ],
    },
    "a.b": { required: false, health: { maxErrors: 2 }, lastKnownGood: false, providers: [] },
    stored: {},
  },
  discover: [
    {
      from: [
        { backend: "consul", tag: "x" },
        { backend: "shop", selector: "a=b" },
      ],
      topology: "found-{service}",
      providers: [
        { backend: "shop", service: "{service}" },
        { id: "m", kind: "memory", params: {} },
      ],
    },
  ],
};
/** The sample with a secret in place of a reference, of a name and of a number. */
const LEAKY = {
  ...SOUND,
  http: { host: "127.0.0.1", port: SECRET },
  dataDir: [SECRET],
  health: SECRET,
  providers: [
    { id: "consul", kind: "consul", priority: SECRET, params: { service: "web", token: SECRET } },
    {
      id: "a",
      kind: "consul",
      priority: 1,
      params: { addresses: [`http://a:${SECRET}@host:8500`], service: "x" },
    },
    { id: "b", kind: "kubernetes", priority: 1, params: { service: "x", kubeconfig: `token: ${SECRET}` } },
    {
      id: "c",
      kind: "kubernetes",
      priority: 1,
      params: { service: "x", server: `https://a:${SECRET}@host` },
    },
    { id: `${SECRET} `, kind: `${SECRET} `, priority: 1, params: SECRET },
  ],
};

/** The same for several topologies. */
const LEAKY_MANY = {
  ...MANY,
  backends: {
    consul: { kind: "consul", addresses: [`http://a:${SECRET}@host:8500`], token: SECRET },
    shop: { kind: "kubernetes", namespace: "shop", kubeconfig: `token: ${SECRET}` },
    unused: { kind: "file", password: SECRET },
    other: { kind: `${SECRET} ` },
  },
  topologies: {
    orders: {
      required: SECRET,
      providers: [
        { backend: "consul", service: "o", apiKey: SECRET },
        { backend: `${SECRET} ` },
        { backend: "shop" },
      ],
      health: { maxErrors: SECRET },
    },
  },
  discover: [
    {
      from: [{ backend: "consul", tag: "x", token: SECRET }],
      topology: `${SECRET} `,
      providers: [{ backend: "shop", token: SECRET }],
    },
  ],
};

let folder: TemporaryFolder;
beforeAll(async () => {
  folder = new TemporaryFolder();
});
afterAll(() => folder[Symbol.dispose]());

/**
 * Validates the text as `holdfast validate` does. The text that it would print must be short, and printing must not
 * fail.
 */
async function load(text: string | Buffer): Promise<Outcome<LoadedConfig>> {
  const file = folder.write("holdfast.yaml", text.toString());
  const outcome = await outcomeOf(() => loadConfig(file, { adapters }));
  assertUnpolluted();
  if (!("error" in outcome)) return outcome;
  expect(outcome.error.category).toBe("validation");
  const lines = toErrorLines(outcome.error, paint);
  expect(lines.length).toBeLessThanOrEqual(101);
  expect(JSON.stringify(toErrorDocument(outcome.error)).length).toBeLessThan(100_000);
  return outcome;
}

const mutation = fc.record({ place: fc.nat(10_000), choice: fc.nat(10_000) });
const mutations = (maxLength: number) => fc.array(mutation, { maxLength });

describe("a configuration", () => {
  test("of any form is accepted or refused", async () => {
    await fc.assert(
      fc.asyncProperty(mutations(3), mutations(3), fc.boolean(), async (structure, text, isYaml) => {
        for (const sample of [SOUND, MANY]) {
          const sound = isYaml ? stringify(sample) : JSON.stringify(mutateJson(sample, structure));
          await load(mutateBytes(Buffer.from(sound), text));
        }
      }),
      { numRuns: fuzzRuns(250) },
    );
  });

  test("with a secret anywhere is refused, whatever else is wrong with it, and the error does not quote it", async () => {
    await fc.assert(
      fc.asyncProperty(mutations(2), async (structure) => {
        for (const leaky of [LEAKY, LEAKY_MANY]) {
          const outcome = await load(JSON.stringify(mutateJson(leaky, structure)));
          if ("error" in outcome) expect(findSecret(allTextOf(outcome.error), SECRET)).toEqual([]);
        }
      }),
      { numRuns: fuzzRuns(150) },
    );
    for (const leaky of [LEAKY, LEAKY_MANY])
      expect(await load(JSON.stringify(leaky))).toHaveProperty("error");
    for (const sound of [SOUND, MANY]) expect(await load(JSON.stringify(sound))).not.toHaveProperty("error");
  });

  test("of any text is accepted or refused", async () => {
    const text = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary", maxLength: 200 }),
      fc.string({ maxLength: 200 }),
    );
    await fc.assert(
      fc.asyncProperty(text, async (each) => {
        await load(each);
      }),
      { numRuns: fuzzRuns(200) },
    );
  });
});

function entries(count: number, text: string): string {
  return Array.from({ length: count }, () => text).join();
}

describe("a configuration that tries to exhaust memory or time", () => {
  const aliases = [
    "a0: &a0 [x, x]",
    ...Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`),
  ].join("\n");

  test.each([
    ["too many bytes", "x".repeat(1_048_577)],
    ["nested sequences", "[".repeat(100_000)],
    ["nested mappings", "{a: ".repeat(25_000)],
    ["a bomb of aliases", aliases],
    ["an alias of itself", "providers: &p [*p, *p]"],
    ["a circle of mappings", "health: &h {timeoutMs: *h}"],
    ["many wrong providers", `providers: [${entries(20_000, "0")}]`],
    ["many unknown fields", Array.from({ length: 10_000 }, (_, i) => `f${i}: 0`).join("\n")],
    ["many fields of one name", "a: 0\n".repeat(5_000)],
    ["many errors of syntax", "a: b: c\n".repeat(5_000)],
    ["many topologies", `topologies: {${Array.from({ length: 20_000 }, (_, i) => `t${i}: {}`).join()}}`],
    [
      "many backends",
      `backends: {${Array.from({ length: 20_000 }, (_, i) => `b${i}: {kind: file}`).join()}}`,
    ],
    [
      "many topologies with one long list",
      `p: &p [${entries(500, "{id: a, kind: file, params: {}}")}]\ntopologies: {${Array.from({ length: 90 }, (_, i) => `t${i}: {providers: *p}`).join()}}`,
    ],
    [
      "many entries with one wrong backend",
      `backends: {b: {kind: file, x: 1}}\ntopologies: {${Array.from({ length: 900 }, (_, i) => `t${i}: {providers: [{backend: b}]}`).join()}}`,
    ],
    [
      "a long template",
      `discover: [{from: [{backend: b}], providers: [{backend: b, path: "${"{x}".repeat(200_000)}"}]}]`,
    ],
    ["many adapters", `adapters: [${entries(10_000, "x")}]`],
    [
      "params that are too long",
      `providers: [{id: a, kind: file, priority: 1, params: {path: "${"x".repeat(900_000)}"}}]`,
    ],
    [
      "params with many fields",
      `providers: [{id: a, kind: file, priority: 1, params: {${Array.from({ length: 5_000 }, (_, i) => `f${i}: 0`).join()}}}]`,
    ],
  ])("by %s is refused with a short message", async (_, text) => {
    expect(await load(text)).toHaveProperty("error");
  });

  test.skipIf(process.platform === "win32")("with an endless file is refused", async () => {
    expect(await outcomeOf(() => loadConfig("/dev/zero"))).toMatchObject({
      error: { details: { problems: [{ got: "a named pipe or a device" }] } },
    });
  });
});
