import { isProvisioningError, type AnyProviderAdapter } from "@holdfast/core";
import { defineAdapter, secretReferenceSchema } from "@holdfast/core/adapter";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { createBuiltInAdapters } from "../../adapters/built-in-adapters.ts";
import type { ConfigProblem } from "../config-problem.ts";
import { loadConfig, type LoadConfigOptions } from "../load-config.ts";

/** A kind that can list services. */
const catalog = defineAdapter({
  kind: "catalog",
  params: z.strictObject({
    url: z.string().regex(/^https?:\/\/[a-z.]+$/),
    service: z.string().regex(/^[a-z]+$/),
    token: secretReferenceSchema.optional(),
    zone: z.string().optional(),
  }),
  open: notUsed,
  discovery: {
    params: z.strictObject({
      url: z.string(),
      token: secretReferenceSchema.optional(),
      tag: z.string().min(1),
    }),
    values: ["namespace"],
    open: notUsed,
  },
});

const adapters: readonly AnyProviderAdapter[] = [...createBuiltInAdapters({}), catalog.createAdapter()];

function notUsed(): never {
  throw new Error("this test opens nothing");
}

async function load(text: string, options: LoadConfigOptions = { adapters }) {
  using folder = new TemporaryFolder();
  return await loadConfig(folder.write("holdfast.yaml", text), options);
}

/** `line:column path: expected, got got`. */
async function describeProblems(text: string): Promise<readonly string[]> {
  const error: unknown = await load(text).catch((thrown: unknown) => thrown);
  if (!isProvisioningError(error)) throw new Error("the configuration is valid", { cause: error });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- documented at loadConfig
  const problems = error.details["problems"] as readonly ConfigProblem[];
  return problems.map(
    ({ line, column, path, expected, got }) => `${line}:${column} ${path}: ${expected}, got ${got}`,
  );
}

const member = { id: "a", host: "a.test", port: 80 };
const memory = (id: string) => `{ id: ${id}, kind: memory, params: { members: [] } }`;

// R7.1
describe("topologies", () => {
  test.each([
    ["provider", "topologies: { a: { providers: [{ backend: { toString: x } }] } }"],
    ["source", "discover: [{ from: [{ backend: { toString: x }, tag: x }], providers: [{ backend: b }] }]"],
    ["template", "discover: [{ from: [{ backend: b, tag: x }], providers: [{ backend: { toString: x } }] }]"],
  ])("the backend of a %s that is not a text is refused", async (_, line) => {
    const text = `backends: { b: { kind: catalog, url: "http://x.test", service: x } }\n${line}`;
    expect((await describeProblems(text)).join("\n")).toMatch(/^2:\d+ .*backend/m);
  });

  test("30 services over one Consul and one Kubernetes cluster take less than 40 lines", async () => {
    const services = Array.from({ length: 30 }, (_, index) => `service-${index + 1}`);
    const text = [
      "backends:",
      '  consul: { kind: consul, addresses: ["https://consul.test:8501"], token: { env: CONSUL_TOKEN } }',
      "  shop: { kind: kubernetes, namespace: shop }",
      "topologies:",
      ...services.map(
        (name) =>
          `  ${name}: { providers: [{ backend: consul, service: ${name} }, { backend: shop, service: ${name} }] }`,
      ),
    ];
    expect(text.length).toBeLessThan(40);
    const { topologies } = await load(text.join("\n"));
    expect(topologies.map(({ name }) => name)).toEqual(services);
    expect(topologies[6]).toMatchObject({
      name: "service-7",
      required: true,
      providers: [
        {
          id: "consul",
          kind: "consul",
          priority: 2,
          params: {
            addresses: ["https://consul.test:8501"],
            token: { env: "CONSUL_TOKEN" },
            service: "service-7",
          },
        },
        {
          id: "shop",
          kind: "kubernetes",
          priority: 1,
          params: { namespace: "shop", service: "service-7" },
        },
      ],
      health: { timeoutMs: 15_000 },
    });
  });

  test("an entry's parameters replace those of its backend, each as a whole, and it may name id and priority", async () => {
    const { topologies } = await load(`
backends:
  m: { kind: memory, members: [{ id: a, host: a.test, port: 80 }] }
topologies:
  orders:
    providers:
      - { backend: m, priority: 5 }
      - { backend: m, priority: 9, members: [] }
      - { backend: m, priority: 7, id: m-2 }
      - { id: long, kind: memory, priority: 1, params: {} }
`);
    expect(topologies[0]?.providers).toEqual([
      { id: "m", kind: "memory", priority: 5, params: { members: [member] } },
      { id: "m-3", kind: "memory", priority: 9, params: { members: [] } },
      { id: "m-2", kind: "memory", priority: 7, params: { members: [member] } },
      { id: "long", kind: "memory", priority: 1, params: {} },
    ]);
  });

  test("each topology has the settings of the file, with its own in their place", async () => {
    const { topologies } = await load(`
health: { timeoutMs: 9000 }
lastKnownGood: false
log: { retainedEvents: 7 }
topologies:
  orders: { providers: [] }
  billing: { required: false, providers: [], health: { maxErrors: 1 }, lastKnownGood: {} }
`);
    expect(topologies).toMatchObject([
      { name: "orders", required: true, health: { timeoutMs: 9_000, maxErrors: 3 }, lastKnownGood: false },
      {
        name: "billing",
        required: false,
        health: { timeoutMs: 9_000, maxErrors: 1 },
        lastKnownGood: { maxAgeMs: 3_600_000 },
      },
    ]);
    expect(topologies.map(({ retainedEvents }) => retainedEvents)).toEqual([7, 7]);
  });

  test.each([
    ["nothing", "", ["default"]],
    ["providers", "providers: []", ["default"]],
    ["topologies", "topologies: { orders: { providers: [] }, billing: {} }", ["orders", "billing"]],
    ["both", "providers: []\ntopologies: { orders: {} }", ["default", "orders"]],
    ["topologies with its own default", "topologies: { default: {} }", ["default"]],
    ["no topology", "topologies: {}", []],
  ])("%s define these topologies", async (_, text, names) => {
    expect((await load(text)).topologies.map(({ name }) => name)).toEqual(names);
  });

  test("a list without priorities is in order of preference, also in the short form", async () => {
    const { topologies } = await load(`providers: [${memory("b")}, ${memory("a")}]`);
    expect(topologies[0]?.providers).toMatchObject([
      { id: "b", priority: 2 },
      { id: "a", priority: 1 },
    ]);
  });

  // R1.1
  test("every problem is named where the value is written, all at once", async () => {
    expect(
      await describeProblems(`backends:
  consul: { kind: consul, addresses: ["ftp://a"], token: { env: T }, wait: 5 }
  odd: { kind: etcd, url: x }
  bad name: { kind: memory }
  unused: { kind: file, path: 7, pol: 1 }
  formless: 5
providers: [${memory("a")}]
topologies:
  orders:
    providers:
      - { backend: consul, service: orders }
      - { backend: consul, service: 5 }
      - { backend: consl, service: orders }
      - { backend: odd, id: o }
      - { backend: 7 }
  shop.billing:
    providers:
      - { id: a, kind: memory, priority: 1, params: {} }
      - { backend: consul }
      - { id: a, kind: memory, priority: 2, params: { member: 1 } }
    health: { timeoutMs: 0 }
    color: red
  -x: {}
  default: {}
  Orders: {}
`),
    ).toEqual([
      "2:39 backends.consul.addresses[0]: a string matching /^https?:\\/\\/(?:[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(?::\\d{1,5})?\\/?$/, got a string of 7 characters",
      "2:70 backends.consul.wait: no such field, got a number",
      '3:10 backends.odd.kind: "catalog" or "consul" or "file" or "folder" or "holdfast" or "kubernetes" or "memory", got "etcd"',
      '4:3 backends["bad name"]: a key of a string matching /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, got a string of 8 characters',
      "5:25 backends.unused.path: string, got a number",
      "5:34 backends.unused.pol: no such field, got a number",
      "6:3 backends.formless: object, got a number",
      "12:28 topologies.orders.providers[1].service: string, got a number",
      '13:11 topologies.orders.providers[2].backend: "consul" or "odd" or "unused", got "consl"',
      '15:11 topologies.orders.providers[4].backend: "consul" or "odd" or "unused", got a number',
      '19:9 topologies["shop.billing"].providers[1].priority: a number, because other entries of the list have a priority, got nothing',
      '19:9 topologies["shop.billing"].providers[1].service: string, got nothing',
      '20:11 topologies["shop.billing"].providers[2].id: an id that topologies["shop.billing"].providers[0].id does not have, got "a"',
      '20:55 topologies["shop.billing"].providers[2].params.member: no such field, got a number',
      '21:15 topologies["shop.billing"].health.timeoutMs: at least 1, got 0',
      '22:5 topologies["shop.billing"].color: no such field, got a string of 3 characters',
      "23:3 topologies.-x: a key of a string matching /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, got a string of 2 characters",
      '24:3 topologies.default: another name, because the field providers defines the topology "default", got "default"',
      '25:3 topologies.Orders: a name that differs from "orders" by more than upper and lower case, got "Orders"',
    ]);
  });

  // R1.6
  test("a literal secret is refused in a backend, in an entry, and in a source, and is never quoted", async () => {
    const described = await describeProblems(`backends:
  used: { kind: catalog, url: "http://a", token: HUNTER2 }
  unused: { kind: consul, password: HUNTER2 }
  other: { kind: catalog, url: "http://u:HUNTER2@a" }
topologies:
  a: { providers: [{ backend: used, service: a }, { backend: other, service: b, HUNTER2: 1, apiKey: HUNTER2 }] }
discover:
  - from: [{ backend: other, tag: x, token: HUNTER2 }]
    providers: [{ backend: used, service: "{service}" }]
`);
    expect(described.join("\n")).toContain("2:43 backends.used.token: a reference");
    expect(described.join("\n")).toContain("3:27 backends.unused.password: a reference");
    expect(described.join("\n")).toContain("4:27 backends.other.url: a URL without a password");
    expect(described.join("\n")).toContain("6:93 topologies.a.providers[1].apiKey: a reference");
    expect(described.join("\n")).toContain("8:38 discover[0].from[0].token: a reference");
    expect(described.filter((line) => /: .*HUNTER2/.test(line))).toEqual([]);
  });

  test("a name that is special in JavaScript is refused like any other", async () => {
    expect(
      await describeProblems("backends: { __proto__: { kind: memory } }\ntopologies: { __proto__: {} }"),
    ).toEqual([
      "1:13 backends.__proto__: no such field, got an object",
      "2:15 topologies.__proto__: no such field, got an object",
    ]);
  });

  test("without adapters, only built-in kinds are checked", async () => {
    const text = `adapters: [./catalog.mjs]
backends: { c: { kind: catalog, url: 7 }, k: { kind: kubernetes } }
topologies: { orders: { providers: [{ backend: c }, { backend: k, service: orders }] } }
discover: [{ from: [{ backend: c }], providers: [{ backend: c, service: "{service}" }] }]`;
    const { unchecked } = await load(text, { loadsAdapters: false });
    expect(unchecked).toEqual([
      { topology: "orders", providerId: "c" },
      { topology: "{service}", providerId: "c" },
    ]);
  });
});

const DISCOVER = `backends:
  c: { kind: catalog, url: "http://a", zone: eu }
  m: { kind: memory }
discover:
  - from: [{ backend: c, tag: holdfast }]
    topology: "{namespace}.{service}"
    providers: [{ backend: c, service: "{service}", zone: "{namespace}-{service}" }, { backend: m, id: "m-{service}" }]
    health: { maxErrors: 1 }
    required: true
    removeAfterMs: 5000
    massRemoval: { share: 0.4 }
`;

// R7.2
describe("discover", () => {
  test("a found service becomes a topology by the templates; a source has the parameters of its backend that it knows", async () => {
    const { topologies, discoveries } = await load(DISCOVER);
    expect(topologies).toEqual([]);
    expect(discoveries).toEqual([
      {
        at: ["discover", 0],
        sources: [{ kind: "catalog", params: { url: "http://a", tag: "holdfast" } }],
        topology: "{namespace}.{service}",
        providers: [
          {
            id: "c",
            kind: "catalog",
            priority: 2,
            params: { url: "http://a", service: "{service}", zone: "{namespace}-{service}" },
          },
          { id: "m-{service}", kind: "memory", priority: 1, params: {} },
        ],
        removeAfterMs: 5_000,
        massRemoval: { share: 0.4 },
        settings: expect.objectContaining({
          required: true,
          health: expect.objectContaining({ maxErrors: 1, timeoutMs: 15_000 }),
          retainedEvents: 1_000,
        }),
      },
    ]);
  });

  // R1.1
  test("every problem of sources and templates is named", async () => {
    const able = adapters.flatMap(({ kind, discovery }) => (discovery ? [`"${kind}"`] : [])).sort();
    expect(
      await describeProblems(`backends:
  c: { kind: catalog, url: "http://a" }
  m: { kind: memory }
  odd: { kind: etcd }
  t: { kind: catalog, url: "http://a", zone: "{service}-{zone}" }
discover:
  - from: [{ backend: c, tga: x }, { backend: m }, { backend: none }, { tag: x }, 7, { backend: odd }]
    topology: "{svc}"
    providers: [{ backend: c, service: "{service}{name}" }, { backend: c, service: "{service} " }]
  - { from: [], providers: [] }
  - from: [{ backend: c, tag: x }]
    topology: orders
    providers: [{ backend: c, service: "{namespace}", zone: "a{2}{}{ x}" }]
  - from: [{ backend: c, tag: x }]
    topology: "-{service}"
    providers: [{ backend: c }]
    required: maybe
    removeAfterMs: 9
    massRemoval: { holdMs: 8 }
  - {}
  - { from: [{ backend: t, tag: x }], providers: [{ backend: t, service: a }] }
`),
    ).toEqual([
      '4:10 backends.odd.kind: "catalog" or "consul" or "file" or "folder" or "holdfast" or "kubernetes" or "memory", got "etcd"',
      "5:40 backends.t.zone: {service} or {namespace}, got {zone}",
      "7:12 discover[0].from[0].tag: string, got nothing",
      "7:26 discover[0].from[0].tga: no such field, got a string of 1 characters",
      `7:38 discover[0].from[1].backend: a backend of a kind that can list services (${able.join(" or ")}), got one of kind "memory"`,
      '7:54 discover[0].from[2].backend: "c" or "m" or "odd" or "t", got "none"',
      "7:71 discover[0].from[3].backend: the name of a backend, got nothing",
      "7:83 discover[0].from[4]: object, got a number",
      "8:5 discover[0].topology: {service}, got {svc}",
      "9:31 discover[0].providers[0].service: {service}, got {name}",
      "9:75 discover[0].providers[1].service: a string matching /^[a-z]+$/, got a string of 2 characters",
      "10:7 discover[1].from: at least 1 entries, got an array of 0",
      "10:17 discover[1].providers: at least 1 entries, got an array of 0",
      "12:5 discover[2].topology: a text with a placeholder such as {service}, got a string of 6 characters",
      "15:5 discover[3].topology: a text that becomes a name matching /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, got a string of 10 characters",
      "16:17 discover[3].providers[0].service: string, got nothing",
      "17:5 discover[3].required: boolean, got a string of 5 characters",
      "19:20 discover[3].massRemoval.holdMs: at least removeAfterMs, 9, got 8",
      "20:5 discover[4].from: array, got nothing",
      "20:5 discover[4].providers: array, got nothing",
    ]);
  });
});
