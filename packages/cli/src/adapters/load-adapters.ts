import {
  createDeadline,
  ProvisioningError,
  systemClock,
  untilAborted,
  type AdapterOptions,
  type AnyProviderAdapter,
  type Clock,
} from "@holdfast/core";
import type { AdapterFault, AdapterProblem } from "./adapter-fault.ts";
import { AdapterFaults } from "./adapter-faults.ts";
import { createBuiltInAdapters } from "./built-in-adapters.ts";
import { importAdapter } from "./import-adapter.ts";
import { resolveAdapter } from "./resolve-adapter.ts";

export interface LoadedAdapters {
  /** The built-in adapters and those that could be loaded; one for each kind. */
  readonly adapters: readonly AnyProviderAdapter[];
  readonly problems: readonly AdapterProblem[];
}

export interface LoadAdaptersOptions {
  /** The id that the server of this process sends, if it has one; see `AdapterOptions`. */
  readonly instance?: string | undefined;
  /** Records which adapter's code fails outside of any call. */
  readonly faults?: AdapterFaults | undefined;
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
}

type LoadedAdapterOptions = AdapterOptions & { readonly baseDir: string };

/** Time limit for loading a module, in milliseconds. A module may wait at its top level. */
const LOAD_WITHIN_MS = 30_000;

/**
 * Returns the built-in adapters, and those of the modules that `input.adapters` of a configuration in `folder` names.
 * Entries that are not names are ignored here; the schema of the configuration reports them. Never rejects.
 */
export async function loadAdapters(
  input: unknown,
  folder: string,
  { instance, faults = new AdapterFaults(), clock = systemClock }: LoadAdaptersOptions = {},
): Promise<LoadedAdapters> {
  const names: unknown = Reflect.get(Object(input), "adapters");
  const options = { baseDir: folder, instance };
  const adapters = [...createBuiltInAdapters(options)];
  const owners = new Map(adapters.map(({ kind }) => [kind, "which is built in"]));
  const problems: AdapterProblem[] = [];
  for (const [index, name] of Array.isArray(names) ? names.entries() : []) {
    if (typeof name !== "string" || name === "") continue;
    const path = `adapters[${index}]`;
    const loaded = await faults.run({ adapter: name }, () => loadWithin(name, options, clock));
    if ("create" in loaded && !owners.has(loaded.kind)) {
      owners.set(loaded.kind, `which ${path} has`);
      adapters.push(faults.isolate(loaded, name));
      continue;
    }
    const { expected, got } =
      "create" in loaded
        ? { expected: "an adapter of a different kind", got: `"${loaded.kind}", ${owners.get(loaded.kind)}` }
        : loaded;
    problems.push({ path, expected, got, code: "VALIDATION_ADAPTER_UNAVAILABLE" });
  }
  return { adapters, problems };
}

async function loadWithin(
  name: string,
  options: LoadedAdapterOptions,
  clock: Clock,
): Promise<AnyProviderAdapter | AdapterFault> {
  using deadline = createDeadline({ afterMs: LOAD_WITHIN_MS, clock, error: toLateError });
  try {
    return await untilAborted(loadAdapter(name, options), deadline.signal);
  } catch {
    const expected = `a module that loads within ${LOAD_WITHIN_MS / 1_000} seconds`;
    return { expected, got: "one that is still loading" };
  }
}

function toLateError(): ProvisioningError {
  return new ProvisioningError("VALIDATION_ADAPTER_UNAVAILABLE", "the module is still loading");
}

async function loadAdapter(
  name: string,
  options: LoadedAdapterOptions,
): Promise<AnyProviderAdapter | AdapterFault> {
  const found = await resolveAdapter(name, options.baseDir);
  return "url" in found ? importAdapter(found.url, options) : found;
}
