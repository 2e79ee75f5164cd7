import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { sleep, systemClock } from "@holdfast/core";

const run = promisify(execFile);
export const root: string = join(import.meta.dirname, "..", "..", "..");

export interface PackageFolder {
  readonly name: string;
  readonly folder: string;
  /** The names in its `dependencies`. */
  readonly dependencies: readonly string[];
}

export interface PackedPackage extends PackageFolder {
  readonly tarball: string;
}

/** Runs a program to its end. `env` is added to the environment; `undefined` removes a variable. An error contains all its output. */
export async function execute(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>> = {},
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

/**
 * Builds and packs every package as for publishing. The first test file of a run that calls this does the work, in a folder named after
 * the process that started the test files; the other test files wait for it.
 */
export async function packAll(): Promise<readonly PackedPackage[]> {
  const folder = join(root, ".tmp", "packed", String(process.ppid));
  const result = join(folder, "packed.json");
  await mkdir(dirname(folder), { recursive: true });
  const isFirst = await mkdir(folder).then(
    () => true,
    () => false,
  );
  if (isFirst) {
    const packed = await buildAndPack(folder).catch((error: unknown) => ({ failure: String(error) }));
    // Renamed when complete, so that the others never read a part.
    await writeFile(`${result}.tmp`, JSON.stringify(packed));
    await rename(`${result}.tmp`, result);
  }
  for (;;) {
    const packed = await readJson<readonly PackedPackage[] | { failure: string }>(result).catch(
      () => undefined,
    );
    if (packed === undefined) await sleep(200, { clock: systemClock });
    else if ("failure" in packed) throw new Error(packed.failure);
    else return packed;
  }
}

async function buildAndPack(into: string): Promise<readonly PackedPackage[]> {
  await removeOthers(into);
  await execute("turbo", ["run", "build", "--output-logs=errors-only"], root);
  await execute(
    "pnpm",
    ["--recursive", "--filter", "./packages/*", "pack", "--pack-destination", into],
    root,
  );
  const tarballs = await readdir(into);
  return (await listPackages()).map((item) => {
    // npm names the tarball of @holdfast/core holdfast-core-1.2.3.tgz.
    const start = `${item.name.replace("@", "").replace("/", "-")}-`;
    const tarball = tarballs.find((file) => file.startsWith(start) && /^\d/.test(file.slice(start.length)));
    if (tarball === undefined) throw new Error(`${item.name} was not packed`);
    return { ...item, tarball: join(into, tarball) };
  });
}

/** Removes the folders of runs that have ended. */
async function removeOthers(current: string): Promise<void> {
  const all = dirname(current);
  for (const name of await readdir(all)) {
    if (join(all, name) !== current && !isAlive(Number(name)))
      await rm(join(all, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Creates an empty folder outside the workspace, which is removed on disposal. */
export async function emptyFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "holdfast-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
