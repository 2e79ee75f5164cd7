import type { AnyProviderAdapter } from "@holdfast/core";
import type { ConfigProblem } from "../config/config-problem.ts";
import type { AdapterFault } from "./adapter-fault.ts";
import { createBuiltInAdapters } from "./built-in-adapters.ts";
import { importAdapter } from "./import-adapter.ts";
import { resolveAdapter } from "./resolve-adapter.ts";

export interface LoadedAdapters {
  /** The built-in ones and those that could be loaded; one for each kind. */
  readonly adapters: readonly AnyProviderAdapter[];
  readonly problems: readonly ConfigProblem[];
}

/**
 * The built-in adapters, and those of the modules that `input.adapters` of a configuration in `folder` names. Entries that
 * are no names are left to the configuration's schema. Never rejects.
 */
export async function loadAdapters(input: unknown, folder: string): Promise<LoadedAdapters> {
  const names: unknown = Reflect.get(Object(input), "adapters");
  const adapters = [...createBuiltInAdapters(folder)];
  const owners = new Map(adapters.map(({ kind }) => [kind, "which is built in"]));
  const problems: ConfigProblem[] = [];
  for (const [index, name] of Array.isArray(names) ? names.entries() : []) {
    if (typeof name !== "string" || name === "") continue;
    const path = `adapters[${index}]`;
    const loaded = await loadAdapter(name, folder);
    if ("create" in loaded && !owners.has(loaded.kind)) {
      owners.set(loaded.kind, `which ${path} has`);
      adapters.push(loaded);
      continue;
    }
    const { expected, got } =
      "create" in loaded
        ? { expected: "an adapter of a kind of its own", got: `"${loaded.kind}", ${owners.get(loaded.kind)}` }
        : loaded;
    problems.push({ path, expected, got, code: "VALIDATION_ADAPTER_UNAVAILABLE" });
  }
  return { adapters, problems };
}

async function loadAdapter(name: string, folder: string): Promise<AnyProviderAdapter | AdapterFault> {
  const found = await resolveAdapter(name, folder);
  return "url" in found ? importAdapter(found.url, folder) : found;
}
