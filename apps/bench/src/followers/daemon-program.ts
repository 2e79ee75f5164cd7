import { readFile, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { HOLDFAST } from "@holdfast-apps/lab";
import { createNpmProject } from "@holdfast-apps/lab/npm-project";

/** A daemon to measure. */
export interface DaemonProgram {
  /** The `holdfast` command as a script. */
  readonly command: string;
  /** The module with the adapter `changing`. */
  readonly adapter: string;
}

/** The daemon in the source form of this repository. The types in the sources cost it memory that users do not pay. */
export const SOURCE_PROGRAM: DaemonProgram = {
  command: HOLDFAST,
  adapter: join(import.meta.dirname, "changing-adapter.ts"),
};

/** Builds, packs and installs the daemon as users do. */
export async function installProgram(): Promise<DaemonProgram & AsyncDisposable> {
  const project = await createNpmProject(["@holdfast/cli", "@holdfast/core"]);
  await copyProgram(project.path);
  return {
    command: join(project.path, "node_modules", "@holdfast", "cli", "dist", "main.js"),
    adapter: join(project.path, "changing-adapter.js"),
    [Symbol.asyncDispose]: () => project[Symbol.asyncDispose](),
  };
}

async function copyProgram(folder: string): Promise<void> {
  const sources = { "changing-adapter": import.meta.dirname, payload: join(import.meta.dirname, "..") };
  for (const [name, from] of Object.entries(sources)) {
    const source = await readFile(join(from, `${name}.ts`), "utf8");
    const text = stripTypeScriptTypes(source).replace("../payload.ts", "./payload.js");
    await writeFile(join(folder, `${name}.js`), text);
  }
}
