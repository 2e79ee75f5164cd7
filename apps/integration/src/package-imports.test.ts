import { glob, readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { join, relative } from "node:path";
import { expect, test } from "vitest";
import { listPackages, root } from "@holdfast-apps/lab/packed-packages";

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

const IMPORTS = /^(?:import|export|\})[^"`\n]*\bfrom "([^"]+)";$|^import "([^"]+)";$|\bimport\("([^"]+)"\)/gm;

/** The build bundles this package, because it is not published. */
const BUNDLED = "@holdfast-apps/test-support";

/** Returns the imported modules of each source file of a package, without its tests. */
async function readImports(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for await (const file of glob("src/**/*.ts", { cwd: folder })) {
    if (file.endsWith(".test.ts")) continue;
    const text = await readFile(join(folder, file), "utf8");
    found.set(
      file,
      [...text.matchAll(IMPORTS)].flatMap((match) => match.slice(1).filter((name) => name !== undefined)),
    );
  }
  return found;
}

/** Returns `zod` for `zod/v4`, and `@hono/node-server` for `@hono/node-server/serve-static`. */
function packageOf(name: string): string {
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
}

test("the sources of a package import neither tests nor files outside of src, except the manifest", async () => {
  for (const { folder } of await listPackages()) {
    const misplaced = [...(await readImports(folder))].flatMap(([file, names]) =>
      names
        .filter((name) => name.startsWith("."))
        .map((name) => relative(folder, join(folder, file, "..", name)))
        .filter((path) => path !== "package.json" && (!path.startsWith("src") || path.endsWith(".test.ts")))
        .map((path) => `${relative(root, folder)}/${file} imports ${path}`),
    );
    expect(misplaced).toEqual([]);
  }
});

test("the dependencies of a package are exactly those that its sources import", async () => {
  const manifests = new Map<string, Manifest>();
  const packages = await listPackages();
  for (const { name, folder } of packages) {
    manifests.set(name, JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest);
  }
  const peersOf = (name: string) => Object.keys(manifests.get(name)?.peerDependencies ?? {});
  for (const { name, folder } of packages) {
    const { dependencies = {} } = manifests.get(name)!;
    const imported = [...(await readImports(folder)).values()]
      .flat()
      .filter((each) => !each.startsWith(".") && !isBuiltin(each))
      .map(packageOf)
      .filter((each) => each !== name && each !== BUNDLED);
    // A package also has the peers of its dependencies, see package-manifests.test.ts.
    const passedOn = new Set(Object.keys(dependencies).flatMap(peersOf));
    const peers = peersOf(name).filter((peer) => imported.includes(peer) || !passedOn.has(peer));
    const declared = [...Object.keys(dependencies), ...peers];
    expect([...new Set(imported)].sort(), name).toEqual(declared.sort());
  }
});
