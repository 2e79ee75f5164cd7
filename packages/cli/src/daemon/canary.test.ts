import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { TestEventSource } from "@holdfast-apps/test-support";
import { createSeededRandom, allTextOf, MemoryProviderStore } from "@holdfast/testing";
import { systemClock } from "@holdfast/core";
import { ProviderRegistry } from "@holdfast/registry";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import { loadAdapters } from "../adapters/load-adapters.ts";
import { runCli } from "../cli.ts";
import { Canaries } from "../../test/canary/canaries.ts";
import { EchoServer } from "../../test/canary/echo-server.ts";
import {
  carelessAdapterModule,
  createSecretScene,
  type SecretScene,
} from "../../test/canary/secret-providers.ts";
import { WatchedDaemon } from "../../test/canary/watched-daemon.ts";
import { member } from "../../test/served-hub.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { TestTerminal } from "../../test/test-terminal.ts";

const canaries = new Canaries();
let folder: TemporaryFolder;
let echo: EchoServer;
let scene: SecretScene;

beforeAll(async () => {
  folder = new TemporaryFolder();
  echo = await EchoServer.listen();
  scene = createSecretScene(folder, canaries, echo.host);
  folder.write("plugin.mjs", carelessAdapterModule());
  folder.write("topology.json", { members: [member("a")] });
  await mkdir(folder.at("tmp"));
  for (const [name, value] of Object.entries(scene.env)) vi.stubEnv(name, value);
});

afterAll(async () => {
  await echo[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
  vi.unstubAllEnvs();
});

/** Fails when the text contains any secret in any form. */
function expectNoSecretIn(what: string, text: string): void {
  expect(canaries.findIn(text).map((found) => `${what}: ${found}`)).toEqual([]);
}

/** The content of every file in the folders. */
async function contentsOf(...names: readonly string[]): Promise<string> {
  const texts = names.map(async (name) => {
    const entries = await readdir(folder.at(name), { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    return Promise.all(files.map(async (file) => `${file}\n${await readFile(file, "latin1")}`));
  });
  return (await Promise.all(texts)).flat().join("\n");
}

async function fetchAll(url: string): Promise<string> {
  const requests = [
    "/topology",
    "/metrics",
    "/readyz",
    "/healthz",
    "/explain?node=a",
    "/explain",
    "/none",
    "/events?lastEventId=x",
  ];
  const answers = requests.map(async (path) => {
    const response = await fetch(`${url}${path}`);
    return `${path} ${JSON.stringify([...response.headers])} ${await response.text()}`;
  });
  await using events = await TestEventSource.open(url);
  return [...(await Promise.all(answers)), JSON.stringify(await events.next())].join("\n");
}

const watched = () => scene.providers.filter(({ id }) => id !== "plugin-create");

function writeConfig(name: string, providers: readonly unknown[]): string {
  return folder.write(name, {
    adapters: ["./plugin.mjs"],
    providers: [{ id: "files", kind: "file", priority: 9, params: { path: "topology.json" } }, ...providers],
    validation: { probe: "warn", probeTimeoutMs: 10_000 },
    health: { maxErrors: 1, backoffInitialMs: 20, backoffMaxMs: 50, cooldownMs: 100 },
  });
}

function at(place: string): string {
  return canaries.at(`literal-${place}`);
}

/** The providers with literal secrets in place of references. */
function literally(): readonly unknown[] {
  const consul = { service: "web" };
  const kubernetes = { service: "web" };
  return [
    { id: "l1", kind: "consul", priority: 1, params: { ...consul, token: at("consul") } },
    { id: "l2", kind: "consul", priority: 1, params: { ...consul, token: { value: at("value") } } },
    {
      id: "l3",
      kind: "consul",
      priority: 1,
      params: { ...consul, addresses: [`http://a:${at("url")}@host:1`] },
    },
    {
      id: "l4",
      kind: "consul",
      priority: 1,
      params: { ...consul, tls: { keyFile: `-----BEGIN PRIVATE KEY-----\n${at("pem")}` } },
    },
    {
      id: "l5",
      kind: "consul",
      priority: 1,
      params: { ...consul, tls: [at("tls")], headers: { authorization: `Bearer ${at("header")}` } },
    },
    {
      id: "l6",
      kind: "kubernetes",
      priority: 1,
      params: { ...kubernetes, kubeconfig: `token: ${at("kubeconfig")}` },
    },
    {
      id: "l7",
      kind: "kubernetes",
      priority: 1,
      params: { ...kubernetes, server: `https://a:${at("server")}@host`, token: [at("list")] },
    },
    { id: "l8", kind: "plugin", priority: at("priority"), params: { when: "probe", token: at("plugin") } },
    { id: `${at("id")} `, kind: `${at("kind")} `, priority: 1, params: at("params") },
    at("descriptor"),
  ];
}

// R1.6
describe("a secret in every parameter that accepts one", () => {
  test.each(inject("isLong") ? ["text", "JSON"] : ["JSON"])(
    "does not occur in anything that the daemon prints as %s, serves or writes",
    async (form) => {
      const config = writeConfig("holdfast.yaml", watched());
      const args = ["--config", config, "--port", "0", ...(form === "JSON" ? ["--json"] : [])];
      const env = { ...process.env, TMPDIR: folder.at("tmp") };
      await using daemon = new WatchedDaemon(args, env);
      const isDown = (out: string, id: string) =>
        form === "JSON"
          ? new RegExp(`"providerId":"${id}"[^\\n]*"to":"unreachable"`).test(out)
          : out.includes(`${id}: `) && new RegExp(`${id}: \\w+ → unreachable`).test(out);
      await daemon.until((out) => watched().every(({ id }) => isDown(out, id)));
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(daemon.out)!;
      const served = await fetchAll(url);
      const commands = await daemon.commandLines();

      // This reload is refused.
      writeConfig("holdfast.yaml", literally());
      daemon.signal("SIGHUP");
      await daemon.until((out) => out.includes("reload_refused"));
      daemon.signal("SIGTERM");
      expect(await daemon.exit()).toBe(0);

      expectNoSecretIn("standard output", daemon.out);
      expectNoSecretIn("standard error", daemon.err);
      expectNoSecretIn("HTTP", served);
      expectNoSecretIn("command lines", commands);
      expectNoSecretIn("files", await contentsOf("holdfast-data", "tmp"));
      expect(daemon.out).toContain("not the secret itself");
      expect(served).toContain('"id":"a"');
    },
    60_000,
  );

  test("was used", () => {
    // Otherwise the test above would prove nothing.
    const shown = [
      "consul-env",
      "consul-file",
      "kube-token",
      "kube-password",
      "kube-token-file",
      "kube-exec",
      "kube-server-token",
    ];
    const found = canaries
      .findIn(echo.received.replaceAll(/basic ([\w+/=]+)/gi, (_, text: string) => atob(text)))
      .join();
    for (const place of shown) expect(found).toContain(`"${place}"`);
    expect(canaries.count).toBeGreaterThan(30);
  });

  test.each([["text"], ["JSON"]])(
    "does not occur in the output of a command as %s",
    async (form) => {
      const json = form === "JSON" ? ["--json"] : [];
      const config = writeConfig("literal.yaml", literally());
      const store = folder.at(`store-${form}.jsonl`);
      const commands: (readonly string[])[] = [
        ["validate", config],
        ["run", "--config", config, "--port", "0"],
        ["schema", "--config", config],
        ["providers", "list", "--config", config],
        ["providers", "add", "--store", store, folder.write("l.json", literally()[0])],
        ...[...literally(), ...scene.providers].map((descriptor) => {
          const {
            id = "x",
            kind = "x",
            priority = 1,
            params = {},
          } = Object(descriptor) as Record<string, unknown>;
          const fields = { id, kind, priority, params: JSON.stringify(params) };
          return [
            "providers",
            "add",
            "--store",
            store,
            ...Object.entries(fields).flatMap(([name, value]) => [`--${name}`, String(value)]),
          ];
        }),
        ["providers", "list", "--store", store],
      ];
      for (const command of commands) {
        const terminal = new TestTerminal({ cwd: folder.path });
        await runCli([...command, ...json], terminal);
        expectNoSecretIn(command.slice(0, 2).join(" "), terminal.out + terminal.err);
      }
      const terminal = new TestTerminal({ cwd: folder.path, stdin: JSON.stringify(literally()[5]) });
      expect(await runCli(["providers", "add", "--store", store, "-", ...json], terminal)).toBe(2);
      expectNoSecretIn("standard input", terminal.out + terminal.err);
      expectNoSecretIn("files", await contentsOf("tmp"));
    },
    60_000,
  );

  test("does not occur in any error, warning or list of a registry, at any depth", async () => {
    const { adapters } = await loadAdapters({ adapters: ["./plugin.mjs"] }, folder.path);
    expect(adapters.length).toBe(createBuiltInAdapters({}).length + 1);
    // The backend responds in a different way each time.
    for (const probe of ["require", "warn", "require", "require"] as const) {
      const store = new MemoryProviderStore();
      const warnings: unknown[] = [];
      await using registry = new ProviderRegistry({
        store,
        adapters,
        clock: systemClock,
        random: createSeededRandom(1),
        heartbeatMs: 5_000,
        suppressAfter: 1_000,
        probe,
      });
      registry.on("warning", (warning) => warnings.push(warning));
      await registry.restore();
      for (const input of [...scene.providers, ...literally()]) {
        const outcome: unknown = await registry.register(input).catch((error: unknown) => error);
        const id: unknown = Reflect.get(Object(input), "id");
        // The error of a plugin is not ours; only our own text must not quote it.
        const isForeign = String(id).startsWith("plugin-");
        const text = isForeign ? `${String(outcome)} ${JSON.stringify(outcome)}` : allTextOf(outcome);
        expectNoSecretIn(`${probe} ${String(id)}`, text);
      }
      const own = warnings.filter(
        (warning) => !String(Reflect.get(Object(warning), "providerId")).startsWith("plugin-"),
      );
      expectNoSecretIn(
        "warnings",
        allTextOf(own) + JSON.stringify(warnings.map((w) => ({ ...Object(w), cause: undefined }))),
      );
      expectNoSecretIn("list", allTextOf(registry.list().map(({ descriptor }) => descriptor)));
      expectNoSecretIn("store", store.contents);
    }
  }, 60_000);
});
