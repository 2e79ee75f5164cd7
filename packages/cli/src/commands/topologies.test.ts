import { TemporaryFolder } from "@holdfast-apps/test-support";
import { describe, expect, test } from "vitest";
import { runCli } from "../cli.ts";
import { serveHub } from "../../test/served-hub.ts";
import { TestTerminal } from "../../test/test-terminal.ts";

async function run(folder: TemporaryFolder, ...args: readonly string[]) {
  const terminal = new TestTerminal({ cwd: folder.path });
  const code = await runCli(args, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

function createFolder(config: string): TemporaryFolder {
  const folder = new TemporaryFolder();
  folder.write("holdfast.yaml", config);
  return folder;
}

const TWO = `backends:
  m: { kind: memory }
  c: { kind: consul, addresses: ["http://10.0.0.5:8500"], token: { env: T } }
topologies:
  orders: { providers: [{ backend: c, service: orders }, { backend: m }] }
  billing: { required: false, providers: [{ backend: c, service: billing }] }
  archive: {}
`;

// R7.1
describe("holdfast validate", () => {
  test("reports each topology, and an insecure backend once", async () => {
    using folder = createFolder(TWO);
    const { code, out } = await run(folder, "validate", "holdfast.yaml");
    expect(code).toBe(0);
    expect(out.split("\n").slice(0, 5)).toEqual([
      `valid  ${folder.at("holdfast.yaml")}`,
      "  orders     c (consul, 2), m (memory, 1)",
      "  billing    c (consul, 1)  (not required)",
      "  archive    as stored",
      `  data       ${folder.at("holdfast-data")}`,
    ]);
    expect(out.split("\n").filter((line) => line.startsWith("warning: "))).toEqual([
      expect.stringMatching(/^warning: orders\/c, billing\/c: .*http:\/\/10\.0\.0\.5:8500/),
    ]);
    const json = JSON.parse((await run(folder, "validate", "holdfast.yaml", "--json")).out) as object;
    expect(json).toMatchObject({
      isValid: true,
      topologies: [{ name: "orders" }, { name: "billing", required: false }, { name: "archive" }],
      warnings: [
        { topology: "orders", providerId: "c", code: "CONNECTIVITY_INSECURE" },
        { topology: "billing", providerId: "c" },
      ],
    });
  });

  test("reports the discoveries with their templates", async () => {
    using folder = createFolder(`backends: { k: { kind: kubernetes, namespace: shop } }
discover: [{ from: [{ backend: k }], topology: "{namespace}.{service}", providers: [{ backend: k, service: "{service}" }] }]
`);
    const { code, out } = await run(folder, "validate", "holdfast.yaml");
    expect([code, out]).toEqual([
      0,
      expect.stringContaining(
        "  discover   services of kubernetes as {namespace}.{service}: k (kubernetes, 1)\n",
      ),
    ]);
  });
});

describe("holdfast schema", () => {
  test("with a configuration completes each backend's parameters", async () => {
    using folder = createFolder(TWO);
    const { out } = await run(folder, "schema", "--config", "holdfast.yaml");
    const { $defs } = JSON.parse(out) as {
      $defs: { provider: { anyOf: { properties: Record<string, { enum?: string[] }> }[] } };
    };
    const byBackend = $defs.provider.anyOf.filter(({ properties }) => properties["backend"] !== undefined);
    expect(byBackend.map(({ properties }) => [properties["backend"]!.enum, "tags" in properties])).toEqual([
      [["c"], true],
      [["m"], false],
    ]);
  });
});

describe("holdfast providers", () => {
  const STORED = "topologies: { orders: {}, billing: {}, fixed: { providers: [] } }";
  const memory = ["--kind", "memory", "--priority", "1", "--params", "{}"];

  test("takes --topology, and list shows all", async () => {
    using folder = createFolder(STORED);
    const set = ["-c", "holdfast.yaml"];
    const add = (id: string, topology: string) =>
      run(folder, "providers", "add", ...set, "-t", topology, "--id", id, ...memory);
    expect(await add("o", "orders")).toMatchObject({ code: 0, err: "" });
    expect(await add("b", "billing")).toMatchObject({ code: 0, err: "" });
    expect(await add("f", "fixed")).toMatchObject({
      code: 2,
      err: expect.stringContaining("defines the providers"),
    });
    const file = (name: string) => folder.at(`holdfast-data/topologies/${name}/providers.jsonl`);
    expect((await run(folder, "providers", "list", ...set)).out).toBe(
      [
        "TOPOLOGY  ID  KIND    PRIORITY  PARAMETERS",
        "orders    o   memory  1         {}",
        "billing   b   memory  1         {}",
        `fixed: no providers in ${file("fixed")}; ${folder.at("holdfast.yaml")} is stored when \`holdfast run\` starts`,
        "",
      ].join("\n"),
    );
    const all = JSON.parse((await run(folder, "providers", "list", ...set, "--json")).out) as object;
    expect(all).toMatchObject({ topologies: [{ topology: "orders", file: file("orders") }, {}, {}] });
    const one = await run(folder, "providers", "list", ...set, "-t", "billing", "--json");
    expect(JSON.parse(one.out)).toMatchObject({ topology: "billing", providers: [{ id: "b" }] });
    expect(await run(folder, "providers", "remove", "o", ...set, "--topology", "orders")).toMatchObject({
      code: 0,
      out: `removed o from ${file("orders")}\n`,
    });
  });

  test("names the topologies when none or an unknown one is selected", async () => {
    using folder = createFolder(STORED);
    const add = (...args: readonly string[]) =>
      run(folder, "providers", "add", "-c", "holdfast.yaml", "--id", "a", ...memory, ...args);
    expect(await add()).toMatchObject({
      code: 2,
      err: expect.stringContaining("select a topology with --topology; there are orders, billing, fixed"),
    });
    expect(await add("-t", "order")).toMatchObject({
      code: 2,
      err: expect.stringContaining('no topology is called "order"; there are orders, billing, fixed'),
    });
    expect(await run(folder, "providers", "list", "-s", "x.jsonl", "-t", "orders")).toMatchObject({
      code: 2,
    });
    folder.write("holdfast.yaml", "topologies: { orders: {}, default: {} }");
    expect((await add()).out).toContain(folder.at("holdfast-data/providers.jsonl"));
  });
});

describe("holdfast explain", () => {
  test("asks for a topology by its name; an unknown one is an error that names the known ones", async () => {
    await using served = await serveHub();
    await using orders = served.addTopology("orders");
    await served.set("a");
    await orders.set("b");
    const { url } = served.server;
    using folder = createFolder(`topologies: { orders: {} }\nhttp: { port: ${new URL(url).port} }`);
    expect((await run(folder, "explain", "b", "-u", url, "--topology", "orders")).out).toMatch(/^b is in/);
    expect((await run(folder, "explain", "b", "-u", url)).out).toMatch(/^b is unknown/);
    // The only topology of the configuration.
    expect((await run(folder, "explain", "b", "-c", "holdfast.yaml")).out).toMatch(/^b is in/);
    const unknown = await run(folder, "explain", "b", "-u", url, "-t", "billing", "--json");
    expect([unknown.code, JSON.parse(unknown.err)]).toMatchObject([
      2,
      {
        error: {
          code: "TOPOLOGY_UNKNOWN",
          message: expect.stringContaining('no topology is called "billing"; known are default, orders'),
        },
      },
    ]);
    const odd = await run(folder, "explain", "b", "-u", url, "-t", "../x");
    expect([odd.code, odd.err]).toEqual([2, expect.stringContaining("no topology has such a name")]);
  });
});
