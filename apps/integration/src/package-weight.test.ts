import { lstat, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIRST_OUTPUT, FIRST_PROGRAM } from "./first-program.ts";
import { createNpmProject, type NpmProject } from "@holdfast-apps/lab/npm-project";
import { execute } from "@holdfast-apps/lab/packed-packages";

const MAX_INSTALLED_BYTES = 15_000_000;

/** Prints the URL of every module that `import(SPECIFIER)` loads, one per line. */
const LIST_MODULES = `import { registerHooks } from "node:module";
const urls = [];
registerHooks({
  load(url, context, next) {
    urls.push(url);
    return next(url, context);
  },
});
await import(process.argv[2]);
console.log(urls.join("\\n"));
`;

/** The external packages that are loaded by importing each package of this repository, before any call. */
const LOADED_AT_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "@holdfast/core": ["mitt"],
  "@holdfast/bridges": ["mitt"],
  "@holdfast/endpoints": ["mitt"],
  "@holdfast/failover": ["mitt"],
  "@holdfast/hub": ["mitt"],
  "@holdfast/registry": ["mitt"],
  "@holdfast/provisioning": ["mitt"],
  holdfast: ["mitt"],
  // It checks members with a schema.
  "@holdfast/client": ["mitt", "zod"],
  // Adapters and stores have zod schemas.
  "@holdfast/core/adapter": ["zod"],
  "@holdfast/provider-memory": ["mitt", "zod"],
  "@holdfast/provider-consul": ["mitt", "zod"],
  "@holdfast/provider-file": ["mitt", "zod"],
  "@holdfast/provider-kubernetes": ["mitt", "zod"],
  "@holdfast/store-file": ["mitt", "zod"],
  "@holdfast/announce": ["mitt", "zod"],
  "@holdfast/registrar-consul": ["mitt", "zod"],
  "@holdfast/registrar-file": ["mitt", "zod"],
  "@holdfast/registrar-kubernetes": ["mitt", "zod"],
};

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}

describe("a program without Kubernetes and without metrics", () => {
  let project: NpmProject;
  beforeAll(async () => {
    project = await createNpmProject([
      "holdfast",
      "@holdfast/provider-memory",
      "@holdfast/provider-consul",
      "@holdfast/provider-file",
      "@holdfast/store-file",
    ]);
  }, 300_000);
  afterAll(() => project[Symbol.asyncDispose]());

  test("installs less than 15 MB, zod included, and no client that it does not use", async () => {
    const modules = join(project.path, "node_modules");
    expect(await sizeOf(modules)).toBeLessThan(MAX_INSTALLED_BYTES);
    const others = (await readdir(modules)).filter((name) => !name.startsWith(".")).sort();
    expect(others).toEqual(["@holdfast", "holdfast", "mitt", "yaml", "zod"]);
  });

  test("has at most ten lines and imports two packages", async () => {
    expect(FIRST_PROGRAM.trimEnd().split("\n").length).toBeLessThanOrEqual(10);
    expect(FIRST_PROGRAM.match(/ from "/g)).toHaveLength(2);
    await writeFile(join(project.path, "program.js"), FIRST_PROGRAM);
    expect(await execute(process.execPath, ["program.js"], project.path)).toBe(FIRST_OUTPUT);
  });
});

describe("importing a package", () => {
  let project: NpmProject;
  beforeAll(async () => {
    project = await createNpmProject(Object.keys(LOADED_AT_IMPORT));
    await writeFile(join(project.path, "list.js"), LIST_MODULES);
  }, 300_000);
  afterAll(() => project[Symbol.asyncDispose]());

  test.each(Object.entries(LOADED_AT_IMPORT))(
    "%s loads exactly the external packages %j",
    async (name, expected) => {
      const printed = await execute(process.execPath, ["list.js", name], project.path);
      const loaded = printed.matchAll(/.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//g);
      const others = new Set(
        [...loaded].map((match) => match[1]!).filter((loadedName) => !project.ours.has(loadedName)),
      );
      expect([...others].sort()).toEqual(expected);
    },
  );
});
