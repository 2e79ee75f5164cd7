import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { emptyFolder, execute, packAll, root, type PackedPackage } from "@holdfast-apps/lab/packed-packages";

const CREATE = join(root, "scripts", "create-adapter.mjs");
const TOKEN = "of-the-test";

let packed: readonly PackedPackage[] = [];

beforeAll(async () => {
  packed = await packAll();
}, 300_000);

function isSource(file: string): boolean {
  return !/[\\/](?:node_modules|dist|holdfast-data)$/.test(file);
}

/** Installs the dependencies of the package in this folder, checks its types and runs its tests. */
async function installAndTest(path: string): Promise<void> {
  // The packages are not in a registry, so each is replaced by its tarball.
  const tarballs = Object.fromEntries(packed.map((item) => [item.name, `file:${item.tarball}`]));
  await writeFile(join(path, "pnpm-workspace.yaml"), JSON.stringify({ overrides: tarballs }));
  await execute("pnpm", ["install", "--prefer-offline", "--ignore-scripts"], path);
  await execute("pnpm", ["run", "check"], path);
  const tested = await execute("pnpm", ["test"], path);
  expect(tested).toMatch(/pass [1-9]\d/);
  expect(tested).toMatch(/fail 0/);
}

/** A program that runs until disposal, and its output. */
class Running implements AsyncDisposable {
  readonly #child;
  readonly #closed: Promise<unknown>;
  readonly #lines: AsyncIterator<string>;
  #err = "";

  constructor(command: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>>) {
    this.#child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#closed = once(this.#child, "close");
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#child.stderr.on("data", (chunk) => (this.#err += String(chunk)));
  }

  /** Returns the first group of the next line that matches. */
  async find(pattern: RegExp): Promise<string> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done === true) throw new Error(`the program ended without ${String(pattern)}: ${this.#err}`);
      const match = pattern.exec(value);
      if (match !== null) return match[1] ?? "";
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }
}

async function topologyOf(url: string): Promise<unknown> {
  return (await fetch(`${url}/topology`)).json();
}

// R6.2
describe("a package of a third party, with the packed packages", () => {
  let project: Awaited<ReturnType<typeof emptyFolder>>;

  beforeAll(async () => {
    project = await emptyFolder();
    await cp(join(root, "examples", "custom-provider"), project.path, { recursive: true, filter: isSource });
    await installAndTest(project.path);
    // Built, as users install it.
    await execute("pnpm", ["run", "build"], project.path);
  }, 240_000);

  afterAll(() => project[Symbol.asyncDispose]());

  const installed = "node_modules/.bin/holdfast";
  const main = join(root, "packages/cli/src/main.ts");
  const ways: readonly (readonly [string, string, readonly string[], string])[] = [
    // With this command, two copies of @holdfast/core are loaded.
    ["a command installed elsewhere", "node", [main], "holdfast-provider-roster"],
    ["the command in the same project, from its source", installed, [], "./src/index.ts"],
    ["the command in the same project, by its package name", installed, [], "holdfast-provider-roster"],
  ];
  test.each(inject("isLong") ? ways : ways.slice(0, 1))(
    "is loaded by %s, which shows its members",
    { timeout: 60_000 },
    async (_, command, args, adapter) => {
      const { path } = project;
      const env = { ROSTER_TOKEN: TOKEN, PORT: "0" };
      await using server = new Running("node", ["src/serve.ts"], path, env);
      const membersUrl = await server.find(/^serving (\S+)$/);
      const config = (await readFile(join(path, "holdfast.yaml"), "utf8"))
        .replace('adapters: ["./src/index.ts"]', `adapters: ["${adapter}"]`)
        .replace(/url: \S+/, `url: ${membersUrl}`);
      expect(config).toContain(`\nadapters: ["${adapter}"]`);
      expect(config).toContain(membersUrl);
      await writeFile(join(path, "run.yaml"), config);
      const run = [...args, "run", "--config", "run.yaml", "--port", "0", "--json"];
      await using daemon = new Running(command, run, path, env);
      const url = await daemon.find(/"kind":"started".*"url":"([^"]+)"/);
      await daemon.find(/"kind":"status_changed".*"to":"ready"/);
      expect(await topologyOf(url)).toMatchObject({ providerId: "primary", members: [{ id: "node-1" }] });

      const headers = { authorization: `Bearer ${TOKEN}` };
      const body = JSON.stringify({ members: [{ id: "node-2", host: "10.0.0.2", port: 7_000 }] });
      expect((await fetch(membersUrl, { method: "PUT", headers, body })).status).toBe(204);
      await daemon.find(/"kind":"snapshot".*"node-2"/);
      expect(await topologyOf(url)).toMatchObject({ members: [{ id: "node-2" }] });
    },
  );
});

// R6.2
describe("create-adapter", () => {
  test.runIf(inject("isLong"))(
    "creates a package that passes its tests and that holdfast loads",
    { timeout: 240_000 },
    async () => {
      await using parent = await emptyFolder();
      const path = join(parent.path, "adapters", "created");
      const create = () => execute("node", [CREATE, "acme-nomad", path], parent.path);
      expect(await create()).toContain(path);
      await installAndTest(path);
      const validated = await execute("node_modules/.bin/holdfast", ["validate", "holdfast.yaml"], path);
      expect(validated).toContain("primary (acme-nomad, 100)");
      await expect(create()).rejects.toThrow(/already: nothing was changed/);
    },
  );

  test.each([
    [[], /usage/],
    [["Nomad"], /NAME is the new kind/],
    [["../nomad"], /NAME is the new kind/],
    [["consul"], /already has a kind/],
    [["holdfast"], /already has a kind/],
    [["members"], /two things called members/],
    [["default"], /a word of the language/],
    [["nomad", "a", "b"], /usage/],
  ])("rejects the arguments %j", async (args, words) => {
    await using parent = await emptyFolder();
    await expect(execute("node", [CREATE, ...args], parent.path)).rejects.toThrow(words);
  });
});
