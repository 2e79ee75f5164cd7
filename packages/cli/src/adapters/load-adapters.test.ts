import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../config/load-config.ts";
import { TemporaryFolder } from "@holdfast-apps/test-support";
import { adapterModule } from "../../test/adapter-module.ts";
import { loadAdapters } from "./load-adapters.ts";

/** A folder with modules and installed packages. */
function createFolder(files: Readonly<Record<string, unknown>>): TemporaryFolder {
  const folder = new TemporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(folder.at(name)), { recursive: true });
    folder.write(name, content);
  }
  return folder;
}

async function load(files: Readonly<Record<string, unknown>>, ...names: readonly unknown[]) {
  using folder = createFolder(files);
  const { adapters, problems } = await loadAdapters({ adapters: names }, folder.path);
  const kinds = adapters.map(({ kind }) => kind).filter((kind) => !BUILT_IN.includes(kind));
  return { kinds, problems: problems.map(({ path, expected, got }) => `${path}: ${expected}, got ${got}`) };
}

const BUILT_IN = ["consul", "file", "folder", "holdfast", "kubernetes", "memory"];

function packageOf(exports: unknown, rest: object = {}): object {
  return { name: "x", version: "1.0.0", type: "module", exports, ...rest };
}

// R6.2
describe("an adapter that can be loaded", () => {
  test("may be a file, relative to the configuration's folder or absolute", async () => {
    using folder = createFolder({
      "nomad.mjs": adapterModule("nomad"),
      "inner/typed.ts": `const kind: string = "typed";\n${adapterModule("typed")}`,
      "old.cjs": `const z = require(${JSON.stringify(fileURLToPath(import.meta.resolve("zod")))});
exports.createAdapter = () => ({ kind: "old", params: z.strictObject({}), create() {} });`,
    });
    const names = ["./nomad.mjs", folder.at("inner/typed.ts"), "./inner/../old.cjs"];
    const { adapters, problems } = await loadAdapters({ adapters: names }, folder.path);
    expect(problems).toEqual([]);
    expect(adapters.map(({ kind }) => kind).slice(-3)).toEqual(["nomad", "typed", "old"]);
  });

  test.each([
    ["for import alone", { ".": { types: "./x.d.ts", import: "./index.js" } }],
    ["for import rather than require", { ".": { require: "./wrong.cjs", import: "./index.js" } }],
    ["any condition", "./index.js"],
  ])("is a package that exports it %s", async (_, exports) => {
    const files = {
      "node_modules/@acme/nomad/package.json": packageOf(exports),
      "node_modules/@acme/nomad/index.js": adapterModule("nomad"),
      "node_modules/@acme/nomad/wrong.cjs": "",
    };
    expect(await load(files, "@acme/nomad")).toEqual({ kinds: ["nomad"], problems: [] });
  });

  test("may be a subpath of a package, or a package without exports", async () => {
    const files = {
      "node_modules/nomad/package.json": packageOf({ "./adapters/*": "./src/*.js" }),
      "node_modules/nomad/src/holdfast.js": adapterModule("nomad"),
      "node_modules/plain/package.json": packageOf(undefined, { main: "main.js" }),
      "node_modules/plain/main.js": adapterModule("plain"),
    };
    expect(await load(files, "nomad/adapters/holdfast", "plain")).toMatchObject({
      kinds: ["nomad", "plain"],
      problems: [],
    });
  });

  test("may be a package next to the command, if the configuration's folder has none", async () => {
    // A package that the command can find, although it is not an adapter.
    const { problems } = await load({}, "@holdfast/core");
    expect(problems).toEqual(['adapters[0]: a module that exports a function "createAdapter", got nothing']);
    const files = {
      "node_modules/@holdfast/core/package.json": packageOf("./index.js"),
      "node_modules/@holdfast/core/index.js": adapterModule("nearer"),
    };
    expect(await load(files, "@holdfast/core")).toEqual({ kinds: ["nearer"], problems: [] });
  });

  test("receives the configuration's folder as baseDir", async () => {
    using folder = createFolder({ "a.mjs": adapterModule("nomad", "kind: baseDir.slice(-63)") });
    const { adapters } = await loadAdapters({ adapters: ["./a.mjs"] }, folder.path);
    expect(adapters.at(-1)?.kind).toBe(folder.path.slice(-63));
  });
});

describe("an adapter that cannot be loaded", () => {
  test.each([
    ["./none.mjs", "a file that exists, got no such file"],
    [".", "a file that exists, got no such file"],
    ["none", "a package installed next to the configuration or the command, got no such package"],
    ["@acme", "a package installed next to the configuration or the command, got no such package"],
    ["#none", "a package installed next to the configuration or the command, got no such package"],
    ["node:fs", "a package installed next to the configuration or the command, got no such package"],
    [
      "https://a.test/x.js",
      "a package installed next to the configuration or the command, got no such package",
    ],
    [
      "data:text/javascript,1",
      "a package installed next to the configuration or the command, got no such package",
    ],
    [
      "closed",
      "a package installed next to the configuration or the command, got a package that does not export it",
    ],
    [
      "broken",
      "a package installed next to the configuration or the command, got a package whose package.json is broken",
    ],
    ["./throws.mjs", "a module that can be loaded, got TypeError: no license"],
    ["./throws-text.mjs", "a module that can be loaded, got a thrown value that is not an Error"],
    ["./none-of-it.mjs", 'a module that exports a function "createAdapter", got nothing'],
    ["./object.mjs", 'a module that exports a function "createAdapter", got an object'],
    ["./refuses.mjs", "an adapter from createAdapter, got Error: no base"],
    ["./nothing.mjs", "an adapter from createAdapter, got nothing"],
    [
      "./promise.mjs",
      'an adapter from createAdapter whose "kind" is a string of 1 to 63 characters, got nothing',
    ],
    ["./no-params.mjs", 'an adapter from createAdapter whose "params" is a schema of zod 4, got an object'],
    ["./no-create.mjs", 'an adapter from createAdapter whose "create" is a function, got nothing'],
    [
      "./no-values.mjs",
      'an adapter from createAdapter whose "discovery" is an object with params, values and create, got an object',
    ],
    ["./file.mjs", 'an adapter of a different kind, got "file", which is built in'],
  ])("%j: expected %s", async (name, problem) => {
    const files = {
      "throws.mjs": "throw new TypeError('no license\\nat all')",
      "throws-text.mjs": "throw 'text'",
      "none-of-it.mjs": "export const adapter = {}",
      "object.mjs": "export const createAdapter = {}",
      "refuses.mjs": "export function createAdapter() { throw new Error('no base') }",
      "nothing.mjs": "export function createAdapter() {}",
      "promise.mjs": "export async function createAdapter() {}",
      "no-params.mjs": adapterModule("nomad", "params: { parse() {} }"),
      "no-create.mjs": adapterModule("nomad", "create: undefined"),
      "no-values.mjs": adapterModule("nomad", "discovery: { params: z.object({}), create() {} }"),
      "file.mjs": adapterModule("file"),
      "node_modules/closed/package.json": packageOf({}),
      "node_modules/broken/package.json": "{",
    };
    expect(await load(files, name)).toEqual({ kinds: [], problems: [`adapters[0]: ${problem}`] });
  });

  test("names a missing dependency of an existing module", async () => {
    const { problems } = await load({ "a.mjs": "import 'not-installed';" }, "./a.mjs");
    expect(problems).toEqual([expect.stringContaining("not-installed")]);
  });

  test("may have a kind that is already taken", async () => {
    const files = { "a.mjs": adapterModule("nomad"), "b.mjs": adapterModule("nomad") };
    expect(await load(files, "./a.mjs", "./b.mjs", "./a.mjs")).toEqual({
      kinds: ["nomad"],
      problems: [
        'adapters[1]: an adapter of a different kind, got "nomad", which adapters[0] has',
        'adapters[2]: an adapter of a different kind, got "nomad", which adapters[0] has',
      ],
    });
  });

  test("is a problem of the configuration, with its position, in addition to all others", async () => {
    using folder = createFolder({ "nomad.mjs": adapterModule("nomad") });
    const file = folder.write(
      "holdfast.yaml",
      `http: { port: -1 }
adapters:
  - ./nomad.mjs
  - "@acme/missing"
  - 7
  - ""
providers:
  - { id: a, kind: nomad, priority: 1, params: { region: 5 } }
  - { id: b, kind: missing, priority: 1, params: {} }
`,
    );
    // R1.1
    await expect(loadConfig(file)).rejects.toMatchObject({
      details: {
        problems: [
          { path: "http.port", line: 1 },
          { path: "adapters[1]", line: 4, column: 5, code: "VALIDATION_ADAPTER_UNAVAILABLE" },
          { path: "adapters[2]", line: 5, code: "VALIDATION_MALFORMED" },
          { path: "adapters[3]", line: 6, code: "VALIDATION_MALFORMED" },
          { path: "providers[0].params.region", line: 8, expected: "string" },
          { path: "providers[1].kind", line: 9, expected: expect.stringContaining('"nomad"') },
        ],
      },
    });
  });
});
