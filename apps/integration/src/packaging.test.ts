import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, inject, test } from "vitest";
import {
  emptyFolder,
  execute,
  listPackages,
  packAll,
  root,
  type PackedPackage,
} from "@holdfast-apps/lab/packed-packages";

const packages = await listPackages();
/** The packages of the short form: the one that users install first. */
const SHORT = ["holdfast"];
const tried = packages.map(({ name }) => name).filter((name) => inject("isLong") || SHORT.includes(name));
/** Optional peer dependencies that a package needs when it is used alone. */
const ALSO_INSTALLED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "@holdfast/metrics": { "prom-client": "^15.1.3" },
};
let packed: readonly PackedPackage[] = [];

beforeAll(async () => {
  packed = await packAll();
}, 300_000);

/** Returns the package and its dependencies in this repository. */
function closure(name: string): Set<string> {
  const ours = new Map(packages.map((item) => [item.name, item]));
  const found = new Set<string>();
  const add = (next: string) => {
    const item = ours.get(next);
    if (item === undefined || found.has(next)) return;
    found.add(next);
    item.dependencies.forEach(add);
  };
  add(name);
  return found;
}

/** Returns the external dependencies of a set of packages. */
function outside(names: ReadonlySet<string>): Set<string> {
  const all = packages.filter(({ name }) => names.has(name)).flatMap(({ dependencies }) => dependencies);
  return new Set(all.filter((name) => !names.has(name)));
}

/** Creates a project with one package of this repository, packed as for publishing. */
async function install(name: string): Promise<Awaited<ReturnType<typeof emptyFolder>>> {
  const project = await emptyFolder();
  const tarballs = Object.fromEntries(packed.map((item) => [item.name, `file:${item.tarball}`]));
  const dependencies = { [name]: tarballs[name], ...ALSO_INSTALLED[name] };
  const manifest = { name: "alone", private: true, type: "module", dependencies };
  await writeFile(join(project.path, "package.json"), JSON.stringify(manifest));
  // The packages are not in a registry, so each is replaced by its tarball.
  await writeFile(join(project.path, "pnpm-workspace.yaml"), JSON.stringify({ overrides: tarballs }));
  await execute("pnpm", ["install", "--prefer-offline", "--ignore-scripts"], project.path);
  return project;
}

describe.each(tried)("%s, packed", (name) => {
  test(
    "is well-formed, and its types resolve for every way of importing it",
    { timeout: 120_000 },
    async () => {
      const { tarball } = packed.find((item) => item.name === name)!;
      await execute("publint", ["--strict", tarball], root);
      await execute("attw", [tarball, "--profile", "esm-only", "--no-color"], root);
    },
  );

  // R6.1
  test(
    "can be installed alone in an empty project, installs only its dependencies, and can be imported",
    { timeout: 120_000 },
    async () => {
      await using project = await install(name);
      const store = await readdir(join(project.path, "node_modules", ".pnpm", "node_modules"), {
        recursive: false,
      });
      const scoped = store.includes("@holdfast")
        ? await readdir(join(project.path, "node_modules", ".pnpm", "node_modules", "@holdfast"))
        : [];
      const expected = closure(name);
      const unscoped = store.filter((part) => part === "holdfast");
      const installed = new Set([name, ...unscoped, ...scoped.map((part) => `@holdfast/${part}`)]);
      expect(installed).toEqual(expected);
      for (const other of ["consul", "@kubernetes", "hono", "prom-client", "yaml", "commander"]) {
        if (ALSO_INSTALLED[name]?.[other] !== undefined) continue;
        if (![...outside(expected)].some((dependency) => dependency.startsWith(other))) {
          expect(store, `${name} installs ${other}, which is not among its dependencies`).not.toContain(
            other,
          );
        }
      }

      const script = `const all = await import(${JSON.stringify(name)}); console.log(Object.keys(all).length)`;
      const printed = await execute("node", ["--input-type=module", "--eval", script], project.path);
      expect(Number(printed)).toBeGreaterThan(0);

      await writeFile(
        join(project.path, "use.ts"),
        `import * as all from ${JSON.stringify(name)};\nexport default all;\n`,
      );
      await execute(
        join(root, "node_modules/.bin/tsc"),
        [
          "--noEmit",
          "--strict",
          "--skipLibCheck",
          "--module",
          "nodenext",
          "--target",
          "es2023",
          "--lib",
          "esnext",
          "use.ts",
        ],
        project.path,
      );
    },
  );
});

// R6.1
test(
  "the published command runs, and its file provider starts the thread of its parser",
  { timeout: 120_000 },
  async () => {
    await using project = await install("@holdfast/cli");
    const { path } = project;
    const holdfast = (...args: readonly string[]) => execute("node_modules/.bin/holdfast", args, path);
    await writeFile(join(path, "topology.yaml"), "members:\n  - { id: a, host: a.local, port: 4000 }\n");
    await writeFile(join(path, "broken.yaml"), "members:\n  - { id: a, host: a.local }\n");
    const add = ["providers", "add", "--store", "providers.jsonl", "--kind", "file", "--priority", "1"];
    await holdfast(...add, "--id", "good", "--params", JSON.stringify({ path: "topology.yaml" }));
    await expect(
      holdfast(...add, "--id", "bad", "--params", JSON.stringify({ path: "broken.yaml" })),
    ).rejects.toThrow(/members\[0\]\.port/);
    expect(
      JSON.parse(await holdfast("providers", "list", "--store", "providers.jsonl", "--json")),
    ).toMatchObject({ providers: [{ id: "good", kind: "file" }] });
  },
);
