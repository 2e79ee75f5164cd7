import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { runCli } from "./cli.ts";
import { adapterModule } from "../test/adapter-module.ts";
import { MAIN } from "../test/daemon-process.ts";
import { serveHub } from "../test/served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { TestTerminal, type TestTerminalOptions } from "../test/test-terminal.ts";

async function run(
  folder: TemporaryFolder,
  args: readonly string[],
  options: TestTerminalOptions = {},
): Promise<{ code: number; out: string; err: string }> {
  const terminal = new TestTerminal({ cwd: folder.path, ...options });
  const code = await runCli(args, terminal);
  return { code, out: terminal.out, err: terminal.err };
}

const members = { members: [{ id: "a", host: "a.test", port: 7000 }] };
const byField = [
  "--id",
  "primary",
  "--kind",
  "file",
  "--priority",
  "100",
  "--params",
  '{"path":"topology.json"}',
];

function fields(id: string, params: string): readonly string[] {
  return ["--id", id, "--kind", "file", "--priority", "5", "--params", params];
}

/** Creates a folder with a topology and a configuration without `providers`, so that the store defines the set. */
function createFolder(): TemporaryFolder {
  const folder = new TemporaryFolder();
  folder.write("topology.json", members);
  folder.write("holdfast.yaml", "dataDir: data\n");
  return folder;
}

describe("holdfast", () => {
  test.each([
    [["--help"], 0],
    [["--version"], 0],
    [["run", "--help"], 0],
    [["providers", "add", "--help"], 0],
    [[], 2],
    [["providers"], 2],
    [["fly"], 2],
    [["run"], 2],
    [["run", "-c", "x.yaml", "--port", "70000"], 2],
    [["schema", "fruit"], 2],
    [["validate"], 2],
    [["validate", "missing.yaml"], 2],
    [["run", "-c", "missing.yaml"], 2],
    [["providers", "list"], 2],
    [["providers", "list", "-s", "a", "-c", "b"], 2],
  ])("%j ends with %i", async (args, code) => {
    using folder = createFolder();
    const result = await run(folder, args);
    expect(result.code).toBe(code);
    expect(result[code === 0 ? "err" : "out"]).toBe("");
    expect(result[code === 0 ? "out" : "err"]).not.toBe("");
  });

  test("has help with examples and exit codes", async () => {
    using folder = createFolder();
    for (const args of [["--help"], ["run", "--help"], ["providers", "add", "--help"]]) {
      const { out } = await run(folder, args);
      expect(out).toContain("Examples:\n  $ holdfast");
      expect(out).toContain("Exit codes:\n  0 ");
    }
  });

  test.each([
    [["run", "--json"], "required option '-c, --config <file>' not specified"],
    [["fly", "--json"], "unknown command 'fly'"],
    [["--json"], "unknown option '--json'"],
    [["providers", "--json"], "unknown option '--json'"],
  ])("prints the usage error of %j as JSON with --json", async (args, message) => {
    using folder = createFolder();
    const { code, err } = await run(folder, args);
    expect(code).toBe(2);
    expect(JSON.parse(err)).toEqual({ error: { code: "USAGE", message } });
  });
});

// E2
describe("a result that cannot be written", () => {
  const commands = [
    ["--help"],
    ["--version"],
    ["validate", "holdfast.yaml"],
    ["validate", "holdfast.yaml", "--json"],
    ["schema"],
    ["schema", "topology"],
    ["providers", "list", "-c", "holdfast.yaml"],
    ["providers", "add", "-c", "holdfast.yaml", ...byField],
    ["providers", "remove", "-c", "holdfast.yaml", "primary"],
    ["explain", "a"],
  ];

  test.each(commands)("%s %s ends with 1 and the reason", async (...args) => {
    using folder = createFolder();
    await using served = await serveHub();
    if (args[1] === "remove") await run(folder, ["providers", "add", "-c", "holdfast.yaml", ...byField]);
    const words = args[0] === "explain" ? [...args, "--url", served.server.url] : args;
    const full = await run(folder, words, { stdoutFailure: "ENOSPC" });
    expect([full.code, full.err]).toEqual([1, expect.stringMatching(/standard output .*\(ENOSPC\)/)]);
    if (words.includes("--json"))
      expect(JSON.parse(full.err)).toMatchObject({ error: { code: "OUTPUT_FAILED" } });
  });

  test("because its reader closed the pipe ends with 1, without a message", async () => {
    using folder = createFolder();
    expect(await run(folder, ["schema"], { stdoutFailure: "EPIPE" })).toEqual({ code: 1, out: "", err: "" });
  });

  test("an error that cannot be written still gives its exit code", async () => {
    using folder = createFolder();
    const both = { stdoutFailure: "ENOSPC", stderrFailure: "ENOSPC" };
    expect((await run(folder, ["validate", "missing.yaml"], both)).code).toBe(2);
    expect((await run(folder, ["schema"], both)).code).toBe(1);
  });

  test.skipIf(process.platform !== "linux")("to a full device, run as a process", async () => {
    const script = `exec "$0" "$@" > /dev/full`;
    const { promise, resolve } = Promise.withResolvers<readonly unknown[]>();
    execFile("/bin/sh", ["-c", script, process.execPath, MAIN, "--version"], (error, _out, err) =>
      resolve([error?.code, err]),
    );
    expect(await promise).toEqual([1, expect.stringContaining("ENOSPC")]);
  });
});

describe("holdfast validate", () => {
  // G6, R9.3
  test("warns of insecure settings", async () => {
    using folder = createFolder();
    const audit = `create: (descriptor) => ({
      descriptor,
      audit: async () => [{ code: "CONNECTIVITY_INSECURE", message: "TLS is not \u001b[31mverified" }],
      async [Symbol.asyncDispose]() {},
    })`;
    const broken = `create: () => { throw new Error("no"); }`;
    folder.write("a.mjs", adapterModule("nomad", audit));
    folder.write("b.mjs", adapterModule("broken", broken));
    const params = { region: "eu" };
    folder.write("open.yaml", {
      adapters: ["./a.mjs", "./b.mjs"],
      http: { host: "0.0.0.0" },
      providers: [
        { id: "a", kind: "nomad", priority: 7, params },
        { id: "b", kind: "broken", priority: 6, params },
      ],
    });
    const { code, out, err } = await run(folder, ["validate", "open.yaml"]);
    expect([code, err]).toEqual([0, ""]);
    expect(out.split("\n").slice(3)).toEqual([
      "  adapters   ./a.mjs, ./b.mjs (loaded, which ran their code)",
      expect.stringContaining(
        "warning: the endpoints listen on 0.0.0.0, which other machines can reach, without TLS",
      ),
      "warning: a: TLS is not \ufffd[31mverified",
      expect.stringContaining("warning: b: its settings could not be audited"),
      "",
    ]);
    const json = await run(folder, ["validate", "open.yaml", "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({
      warnings: [
        { code: "CONNECTIVITY_INSECURE", details: { setting: "http.host" } },
        { code: "CONNECTIVITY_INSECURE", providerId: "a" },
        { code: "LIFECYCLE_INTERNAL", providerId: "b" },
      ],
    });
  });

  // G10
  test("loads no adapter of a configuration with --no-adapters or where it is not needed", async () => {
    using folder = createFolder();
    folder.write("bad.mjs", `globalThis.wasLoaded = true;\n${adapterModule("nomad")}`);
    const nomad = { id: "a", kind: "nomad", priority: 1, params: {} };
    folder.write("untrusted.yaml", { adapters: ["./bad.mjs"], providers: [nomad] });
    folder.write("stored.yaml", { adapters: ["./bad.mjs"], dataDir: "data", http: { port: 1 } });
    await run(folder, ["providers", "add", "-c", "holdfast.yaml", ...byField]);
    const { code, out } = await run(folder, ["validate", "untrusted.yaml", "--no-adapters"]);
    expect(code).toBe(0);
    expect(out).toContain("./bad.mjs (not loaded)");
    expect(out).toContain("warning: a: not checked");
    expect((await run(folder, ["schema", "-c", "untrusted.yaml", "--no-adapters"])).out).not.toContain(
      "nomad",
    );
    expect((await run(folder, ["providers", "list", "-c", "stored.yaml"])).out).toContain("primary");
    expect((await run(folder, ["providers", "remove", "-c", "stored.yaml", "primary"])).code).toBe(0);
    expect((await run(folder, ["explain", "a", "-c", "stored.yaml"])).err).toContain("127.0.0.1:1");
    expect(Reflect.get(globalThis, "wasLoaded")).toBeUndefined();
    // The help lists the commands that load adapters.
    for (const args of [["validate"], ["schema"], ["providers"]]) {
      expect((await run(folder, [...args, "--help"])).out).toContain("which runs their code");
    }
    expect((await run(folder, ["validate", "untrusted.yaml"])).code).toBe(2);
    expect(Reflect.get(globalThis, "wasLoaded")).toBe(true);
  });

  test("summarises a valid configuration", async () => {
    using folder = createFolder();
    const provider = { id: "a", kind: "file", priority: 7, params: { path: "not-there.json" } };
    folder.write("right.yaml", { providers: [provider] });
    expect(await run(folder, ["validate", "right.yaml"])).toEqual({
      code: 0,
      out: [
        `valid  ${folder.at("right.yaml")}`,
        "  providers  a (file, 7)",
        `  store      ${folder.at("holdfast-data/providers.jsonl")}`,
        "",
      ].join("\n"),
      err: "",
    });
    const { out } = await run(folder, ["validate", "--json", "right.yaml"]);
    expect(JSON.parse(out)).toMatchObject({ isValid: true, config: { providers: [provider] } });
  });

  test("names every problem, as text and as JSON", async () => {
    using folder = createFolder();
    folder.write("wrong.yaml", "http: { port: -1 }\nproviders: [{ id: a }]\n");
    // R1.1
    expect(await run(folder, ["validate", "wrong.yaml"])).toEqual({
      code: 2,
      out: "",
      err: [
        `error: ${folder.at("wrong.yaml")} is not valid:`,
        "  1:9   http.port            expected at least 0, got -1",
        "  2:13  providers[0].kind    expected string, got nothing",
        "  2:13  providers[0].params  expected record, got nothing",
        "",
      ].join("\n"),
    });
    const { code, err } = await run(folder, ["validate", "wrong.yaml", "--json"]);
    expect(code).toBe(2);
    // R5.5
    expect(JSON.parse(err)).toMatchObject({
      error: {
        code: "VALIDATION_MALFORMED",
        problems: [{ path: "http.port", line: 1, column: 9 }, { code: "VALIDATION_MISSING_FIELD" }, {}],
      },
    });
  });
});

describe("holdfast schema", () => {
  test("prints the two schemas", async () => {
    using folder = createFolder();
    const title = async (...args: readonly string[]) =>
      (JSON.parse((await run(folder, ["schema", ...args])).out) as { title: string }).title;
    expect(await title()).toBe("Holdfast configuration");
    expect(await title("topology")).toBe("Holdfast topology");
  });

  // R6.2
  test("includes the kinds of a configuration's adapters, whatever else is wrong with it", async () => {
    using folder = createFolder();
    folder.write("nomad.mjs", adapterModule("nomad"));
    folder.write("wrong.yaml", "adapters: [./nomad.mjs]\nhttp: 5\n");
    const { code, out } = await run(folder, ["schema", "--config", "wrong.yaml"]);
    expect(code).toBe(0);
    expect(out).toContain('"const": "nomad"');
    expect(out).toContain("Where it is.");
    folder.write("wrong.yaml", "adapters: [./none.mjs]\n");
    expect(await run(folder, ["schema", "-c", "wrong.yaml"])).toMatchObject({
      code: 2,
      err: expect.stringContaining("1:12  adapters[0]  expected a file that exists, got no such file"),
    });
    expect(await run(folder, ["schema", "topology", "-c", "wrong.yaml"])).toMatchObject({ code: 2, out: "" });
  });
});

describe("holdfast providers", () => {
  test("adds, lists and removes", async () => {
    using folder = createFolder();
    const set = ["--config", "holdfast.yaml"];
    expect(await run(folder, ["providers", "list", ...set])).toMatchObject({
      out: `no providers in ${folder.at("data/providers.jsonl")}\n`,
    });
    const added = await run(folder, ["providers", "add", ...set, ...byField]);
    expect(added).toMatchObject({ code: 0, err: "" });
    // R1.5: another process loads it.
    expect((await run(folder, ["providers", "list", ...set])).out).toBe(
      [
        "ID       KIND  PRIORITY  PARAMETERS",
        `primary  file  100       {"path":"${folder.at("topology.json")}"}`,
        "",
      ].join("\n"),
    );
    const file = folder.at("data/providers.jsonl");
    expect(JSON.parse((await run(folder, ["providers", "list", "--store", file, "--json"])).out)).toEqual({
      file,
      providers: [
        { id: "primary", kind: "file", priority: 100, params: { path: folder.at("topology.json") } },
      ],
    });
    expect(await run(folder, ["providers", "remove", "primary", ...set])).toMatchObject({ code: 0, err: "" });
    expect((await run(folder, ["providers", "list", ...set])).out).toContain("no providers");
  });

  test("reads a descriptor from a file or standard input, and parameters from a file", async () => {
    using folder = createFolder();
    const descriptor = { id: "a", kind: "file", priority: 1, params: { path: "topology.json" } };
    folder.write("a.yaml", "id: a\nkind: file\npriority: 1\nparams: { path: topology.json }\n");
    folder.write("params.json", descriptor.params);
    const add = (args: readonly string[], stdin = "") =>
      run(folder, ["providers", "add", "-s", "set.jsonl", "--json", ...args], { stdin });
    const expected = { ...descriptor, params: { path: folder.at("topology.json") } };
    expect(JSON.parse((await add(["a.yaml"])).out)).toMatchObject({ added: expected, warnings: [] });
    const fromStdin = await add(["-"], JSON.stringify({ ...descriptor, id: "b" }));
    expect(JSON.parse(fromStdin.out)).toMatchObject({ added: { ...expected, id: "b" } });
    expect(JSON.parse((await add(fields("c", "@params.json"))).out)).toMatchObject({
      added: { ...expected, id: "c", priority: 5 },
    });
    expect(await add(["a.yaml", "--id", "d"])).toMatchObject({ code: 2 });
    expect(await add(["missing.yaml"])).toMatchObject({ code: 2 });
  });

  test("refuses malformed input, a taken id, a literal secret and an unreachable backend, and stores nothing", async () => {
    using folder = createFolder();
    const add = (...args: readonly string[]) =>
      run(folder, ["providers", "add", "-s", "set.jsonl", "--json", ...args]);
    await add(...byField);
    const before = await readFile(folder.at("set.jsonl"), "utf8");
    const refusal = async (...args: readonly string[]) => {
      const { code, err } = await add(...args);
      const { error } = JSON.parse(err) as {
        error: { code: string; problems?: readonly { path: string }[] };
      };
      return [code, error.code, ...(error.problems ?? []).map(({ path }) => path)];
    };
    // R1.1
    expect(await refusal("--id", "b")).toEqual([2, "VALIDATION_MISSING_FIELD", "kind", "priority", "params"]);
    // R1.2
    expect(await refusal(...fields("primary", '{"path":"topology.json"}'))).toEqual([
      2,
      "VALIDATION_DUPLICATE_ID",
      "id",
    ]);
    // R1.4
    expect(await refusal(...fields("c", '{"path":"missing.json"}'))).toEqual([1, "CONNECTIVITY_REFUSED"]);
    // R1.6
    expect(await refusal(...fields("d", '{"path":"topology.json","password":"x"}'))).toEqual([
      2,
      "VALIDATION_LITERAL_SECRET",
      "params.password",
    ]);
    expect(await refusal(...fields("e", "{"))).toEqual([2, "VALIDATION_MALFORMED", ""]);
    expect(await readFile(folder.at("set.jsonl"), "utf8")).toBe(before);
  });

  // R6.2
  test("knows the kinds of the configuration's adapters", async () => {
    using folder = createFolder();
    folder.write("nomad.mjs", adapterModule("nomad"));
    const config = folder.write("plugged.yaml", "adapters: [./nomad.mjs]\n");
    const add = (params: object) => {
      const nomad = { id: "n", kind: "nomad", priority: 1, params };
      return run(folder, ["providers", "add", "-c", config, "-"], { stdin: JSON.stringify(nomad) });
    };
    expect(await add({ zone: "x" })).toMatchObject({
      code: 2,
      err: expect.stringContaining("params.region"),
    });
    expect(await add({ region: "eu" })).toMatchObject({ code: 0, err: "" });
    expect((await run(folder, ["providers", "list", "-c", config])).out).toContain("nomad");
    expect(await run(folder, ["validate", "plugged.yaml"])).toMatchObject({ code: 0 });
  });

  test("refuses to change a set that the configuration defines, or to remove an unknown provider", async () => {
    using folder = createFolder();
    folder.write("declared.yaml", "providers: []\n");
    const declared = await run(folder, ["providers", "add", "-c", "declared.yaml", ...byField]);
    expect(declared.code).toBe(2);
    expect(declared.err).toContain("defines the providers");
    expect((await run(folder, ["providers", "list", "-c", "declared.yaml"])).out).toContain("holdfast run");
    expect((await run(folder, ["providers", "remove", "a", "-c", "declared.yaml"])).code).toBe(2);
    const unknown = await run(folder, ["providers", "remove", "unknown", "-s", "set.jsonl"]);
    expect(unknown).toMatchObject({ code: 2 });
    expect(unknown.err).toContain("VALIDATION_UNKNOWN_ID");
  });

  test("fails on a damaged store without changing it", async () => {
    using folder = createFolder();
    const file = folder.write("set.jsonl", "{ damaged");
    for (const args of [["list"], ["add", ...byField], ["remove", "a"]]) {
      const { code, err } = await run(folder, ["providers", ...args, "-s", file, "--json"]);
      // R1.5
      expect([code, (JSON.parse(err) as { error: { code: string } }).error.code]).toEqual([
        1,
        "STORE_CORRUPTED",
      ]);
    }
    expect(await readFile(file, "utf8")).toBe("{ damaged");
  });
});
