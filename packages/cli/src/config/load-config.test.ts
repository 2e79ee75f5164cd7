import { appendFile } from "node:fs/promises";
import { isProvisioningError } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import type { ConfigProblem } from "./config-problem.ts";
import { loadConfig } from "./load-config.ts";

async function loadText(text: string, name = "holdfast.yaml") {
  using folder = new TemporaryFolder();
  return await loadConfig(folder.write(name, text));
}

async function problemsOf(loading: Promise<unknown>): Promise<readonly ConfigProblem[]> {
  const error: unknown = await loading.catch((thrown: unknown) => thrown);
  if (!isProvisioningError(error)) throw new Error("the configuration is valid", { cause: error });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- documented at loadConfig
  return error.details["problems"] as readonly ConfigProblem[];
}

/** `line:column path: expected, got got`. */
async function describeProblems(text: string): Promise<readonly string[]> {
  const problems = await problemsOf(loadText(text));
  return problems.map(({ line, column, path, expected, got }) => {
    const place = line === undefined ? "" : `${line}:${column} `;
    return `${place}${path}: ${expected}, got ${got}`;
  });
}

async function gotOf(file: string): Promise<readonly string[]> {
  return (await problemsOf(loadConfig(file))).map(({ got }) => got);
}

describe("loadConfig", () => {
  test("names every problem with position, expected and actual value", async () => {
    // R1.1
    expect(
      await describeProblems(`# with a comment
providers:
  - id: primary
    kind: file
    priority: high
    params: { path: x.json, pollMs: 1 }
  - kind: etcd
    id: primary
    params: {}
  - 7
dataDir: ""
health:
  timeoutMs: -5
  timeout: 3
validation: { probe: sometimes }
http: maybe
log: [1]
`),
    ).toEqual([
      "5:5 providers[0].priority: number, got a string of 4 characters",
      "6:29 providers[0].params.pollMs: at least 10, got 1",
      "7:5 providers[1].priority: a number, because other entries of the list have a priority, got nothing",
      '7:5 providers[1].kind: "consul" or "file" or "folder" or "holdfast" or "kubernetes" or "memory", got "etcd"',
      '8:5 providers[1].id: an id that providers[0].id does not have, got "primary"',
      "10:5 providers[2]: object, got a number",
      "11:1 dataDir: at least 1 characters, got a string of 0 characters",
      "13:3 health.timeoutMs: at least 1, got -5",
      "14:3 health.timeout: no such field, got a number",
      '15:15 validation.probe: "require" or "warn", got a string of 9 characters',
      "16:1 http: false or object, got a string of 5 characters",
      "17:1 log: object, got an array of 1",
    ]);
  });

  test("reports positions in JSON too, also with tabs", async () => {
    expect(await describeProblems('{\n\t"http": {\n\t\t"port": 70000,\n\t\t"tls": true\n\t}\n}\n')).toEqual([
      "3:3 http.port: at most 65535, got 70000",
      "4:3 http.tls: no such field, got true",
    ]);
  });

  test.each([
    ["a: 1\na: 2\n", ["2:1 : valid YAML or JSON, got duplicate key"]],
    ["providers: [1\n", ["2:1 : valid YAML or JSON, got bad indent"]],
    ["a: *unknown\n", ["1:1 : valid YAML or JSON, got aliases that cannot be followed"]],
    ["a: 1\n---\nb: 2\n", ["2:1 : valid YAML or JSON, got multiple docs"]],
    ["a: !!js/function x\n", ["1:4 : valid YAML or JSON, got tag resolve failed"]],
    ["- a\n", [": object, got an array of 1"]],
    ["providers:\n", ["1:1 providers: array, got null"]],
  ])("refuses %j", async (text, problems) => {
    expect(await describeProblems(text)).toEqual(problems);
  });

  test("refuses a missing file, a folder, a binary file and a large file", async () => {
    using folder = new TemporaryFolder();
    expect(await gotOf(folder.at("none.yaml"))).toEqual(["no such file"]);
    expect(await gotOf(folder.path)).toEqual(["a folder"]);
    const large = folder.write("large.yaml", `#${"x".repeat(1_048_576)}`);
    expect(await gotOf(large)).toEqual(["more"]);
    const binary = folder.write("binary.yaml", "");
    await appendFile(binary, new Uint8Array([0x61, 0xff]));
    expect(await gotOf(binary)).toEqual(["other bytes"]);
  });

  test("never quotes a text of the file, which may be a misplaced secret", async () => {
    // R1.6
    const secret = fc.stringMatching(/^[A-Z]{12,20}$/);
    const place = fc.constantFrom(
      (text: string) => ({ providers: [{ id: text, kind: text, priority: text, params: text }] }),
      (text: string) => ({
        providers: [{ id: "a", kind: "file", priority: 1, params: { path: 1, x: text } }],
      }),
      (text: string) => ({ http: { host: [text], port: text }, validation: { probe: text } }),
      (text: string) => ({ dataDir: { text }, health: text, log: { retainedEvents: text } }),
    );
    await fc.assert(
      fc.asyncProperty(secret, place, async (text, toConfig) => {
        const described = await describeProblems(JSON.stringify(toConfig(`${text} `)));
        expect(described.join("\n")).not.toContain(text);
      }),
      { numRuns: 40 },
    );
    expect((await describeProblems('a: "HUNTER2\nb: [HUNTER2')).join()).not.toContain("HUNTER2");
  });

  test("refuses a literal secret where a provider is configured", async () => {
    // R1.6
    const text = "providers: [{ id: a, kind: file, priority: 1, params: { path: a.json, token: hunter2 } }]";
    expect(await problemsOf(loadText(text))).toMatchObject([
      {
        path: "providers[0].params.token",
        code: "VALIDATION_LITERAL_SECRET",
        got: "a string of 7 characters",
      },
    ]);
  });

  test("fills in the defaults", async () => {
    const { config, topologies } = await loadText("# nothing but a comment\n");
    expect(topologies).toMatchObject([{ name: "default", required: true, providers: undefined }]);
    // R2.6: the defaults of health.
    expect(config).toEqual({
      dataDir: "holdfast-data",
      health: {
        timeoutMs: 15_000,
        maxErrors: 3,
        backoffInitialMs: 2_000,
        backoffMaxMs: 30_000,
        cooldownMs: 10_000,
        lateSnapshotMs: 5_000,
        standby: "warm",
      },
      guards: { massRemoval: { share: 0.5, holdMs: 300_000, when: "contested" } },
      lastKnownGood: { maxAgeMs: 3_600_000, saveEveryMs: 10_000 },
      validation: { probe: "require", probeTimeoutMs: 5_000, suppressAfter: 3, suppressMs: 60_000 },
      http: {
        host: "127.0.0.1",
        port: 7_420,
        allowedHosts: [],
        maxEventClients: 1_000,
        maxReaderMemoryMb: 128,
      },
      log: { retainedEvents: 1_000 },
      shutdown: { drainMs: 10_000 },
    });
  });

  test("reads all settings from YAML or JSON, and locates the store next to the file", async () => {
    using folder = new TemporaryFolder();
    const provider = { id: "a", kind: "memory", priority: 1, params: {} };
    const content = {
      $schema: "x",
      providers: [provider],
      dataDir: "data",
      http: false,
      shutdown: { drainMs: 0 },
    };
    const file = folder.write("holdfast.json", content);
    const loaded = await loadConfig("holdfast.json", { cwd: folder.path });
    expect(loaded).toMatchObject({
      file,
      dataDir: folder.at("data"),
      topologies: [{ name: "default", providers: [provider] }],
      config: { http: false, shutdown: { drainMs: 0 } },
    });
    const yaml = folder.write("holdfast.yaml", "\uFEFFhttp: &h {port: 0}\r\nproviders: []\r\n");
    expect(await loadConfig(yaml)).toMatchObject({
      topologies: [{ providers: [] }],
      config: { http: { port: 0 } },
    });
  });
});
