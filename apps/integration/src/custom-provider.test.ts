import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emptyFolder, execute, packAll, root, type PackedPackage } from "./packed-packages.ts";

let folder: Awaited<ReturnType<typeof emptyFolder>>;
let packed: readonly PackedPackage[] = [];

beforeAll(async () => {
  folder = await emptyFolder();
  packed = await packAll(folder.path);
}, 300_000);

afterAll(() => folder[Symbol.asyncDispose]());

// R6.2
test(
  "a package of a third party installs, type-checks, passes the conformance suite, and `holdfast` loads it",
  { timeout: 240_000 },
  async () => {
    await using project = await emptyFolder();
    const { path } = project;
    await cp(join(root, "examples", "custom-provider"), path, { recursive: true });
    // Ours are not on a registry yet: wherever one is asked for, its tarball stands in.
    const tarballs = Object.fromEntries(packed.map((item) => [item.name, `file:${item.tarball}`]));
    await writeFile(join(path, "pnpm-workspace.yaml"), JSON.stringify({ overrides: tarballs }));
    await execute("pnpm", ["install", "--prefer-offline", "--ignore-scripts"], path);
    await execute("pnpm", ["run", "check"], path);
    const tested = await execute("pnpm", ["test"], path);
    expect(tested).toMatch(/pass [1-9]\d/);
    expect(tested).toMatch(/fail 0/);

    const validated = await execute("node_modules/.bin/holdfast", ["validate", "holdfast.yaml"], path);
    expect(validated).toContain("primary (roster, 100)");

    // As whoever installs it has it: built, and named by its package.
    await execute("pnpm", ["run", "build"], path);
    const { name } = JSON.parse(await readFile(join(path, "package.json"), "utf8")) as { name: string };
    const config = (await readFile(join(path, "holdfast.yaml"), "utf8")).replace(
      'adapters: ["./src/index.ts"]',
      `adapters: ["${name}"]`,
    );
    await writeFile(join(path, "installed.yaml"), config);
    expect(await execute("node_modules/.bin/holdfast", ["validate", "installed.yaml"], path)).toContain(
      "roster",
    );
  },
);
