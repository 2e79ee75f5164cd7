import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { emptyFolder, execute, packAll, type PackedPackage } from "./packed-packages.ts";

export interface NpmProject extends AsyncDisposable {
  readonly path: string;
  /** The installed packages of this repository. */
  readonly ours: ReadonlySet<string>;
}

/** Creates a project with packages of this repository, packed and installed by npm. As they are not in a registry, it names them all. */
export async function createNpmProject(names: readonly string[]): Promise<NpmProject> {
  const packages = closure(names, await packAll());
  const project = await emptyFolder();
  const dependencies = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]));
  const manifest = { name: "user", private: true, type: "module", dependencies };
  await writeFile(join(project.path, "package.json"), JSON.stringify(manifest));
  const quiet = ["--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  await execute("npm", ["install", ...quiet], project.path);
  return { ...project, ours: new Set(packages.map(({ name }) => name)) };
}

/** Returns these packages and their dependencies in this repository. */
function closure(names: readonly string[], all: readonly PackedPackage[]): readonly PackedPackage[] {
  const byName = new Map(all.map((item) => [item.name, item]));
  const found = new Set<PackedPackage>();
  const add = (name: string) => {
    const item = byName.get(name);
    if (item === undefined || found.has(item)) return;
    found.add(item);
    item.dependencies.forEach(add);
  };
  names.forEach(add);
  return [...found];
}
