import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
export const root: string = join(import.meta.dirname, "..", "..", "..");

export interface PackageFolder {
  readonly name: string;
  readonly folder: string;
  /** What it names in `dependencies`. */
  readonly dependencies: readonly string[];
}

export interface PackedPackage extends PackageFolder {
  readonly tarball: string;
}

/** Runs a program to its end, with `env` on top of this process's; a failure carries everything it printed. */
export async function execute(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  try {
    const options = { cwd, env: { ...process.env, ...env }, maxBuffer: 64 * 1024 * 1024 };
    const { stdout } = await run(command, args, options);
    return stdout;
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${command} ${args.join(" ")} failed\n${stdout}\n${stderr}`, { cause: error });
  }
}

async function readJson<T>(file: string): Promise<T> {
  return JSON.parse(await readFile(file, "utf8")) as T;
}

export async function listPackages(): Promise<readonly PackageFolder[]> {
  const folders = (await readdir(join(root, "packages"))).sort().map((name) => join(root, "packages", name));
  return Promise.all(
    folders.map(async (folder) => {
      const { name, dependencies = {} } = await readJson<{
        name: string;
        dependencies?: Record<string, string>;
      }>(join(folder, "package.json"));
      return { name, folder, dependencies: Object.keys(dependencies) };
    }),
  );
}

/** Builds every package and packs it as it would be published. */
export async function packAll(into: string): Promise<readonly PackedPackage[]> {
  await execute("turbo", ["run", "build", "--output-logs=errors-only"], root);
  const packed: PackedPackage[] = [];
  for (const item of await listPackages()) {
    const output = await execute("pnpm", ["pack", "--json", "--pack-destination", into], item.folder);
    const { filename } = JSON.parse(output.slice(output.indexOf("{"))) as { filename: string };
    packed.push({ ...item, tarball: filename.startsWith("/") ? filename : join(into, filename) });
  }
  return packed;
}

/** A folder outside the workspace that is gone after use. */
export async function emptyFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "holdfast-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
