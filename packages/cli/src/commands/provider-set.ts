import { resolve } from "node:path";
import {
  DEFAULT_TOPOLOGY,
  ProvisioningError,
  type AnyProviderAdapter,
  type TopologyName,
} from "@holdfast/core";
import { FileProviderStore } from "@holdfast/store-file";
import type { TopologySettings } from "holdfast";
import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import { topologyFilesOf } from "../config/data-files.ts";
import { loadConfig, type LoadConfigOptions, type LoadedConfig } from "../config/load-config.ts";
import { toUnknownTopologyError } from "./unknown-topology-error.ts";

/** Selects the store of a `providers` command: the one of a topology of a configuration, or a separate file. */
export interface ProviderSetOptions {
  readonly config?: string | undefined;
  readonly store?: string | undefined;
  /** A topology of the configuration. @defaultValue the only one, or `default` */
  readonly topology?: string | undefined;
}

/** A stored set of providers, with what is needed to change it. */
export interface StoredProviderSet {
  /** Absent for a separate file. */
  readonly topology?: TopologyName | undefined;
  readonly file: string;
  readonly store: FileProviderStore;
  readonly adapters: readonly AnyProviderAdapter[];
  readonly validation?: TopologySettings["validation"];
  /** The configuration that defines the providers. Then the store is only a copy. */
  readonly declaredIn?: string | undefined;
}

/**
 * Returns the one set that the options select. Throws `VALIDATION_MISSING_FIELD` when neither or both of `config` and `store` are given,
 * or when the configuration has several topologies and none is selected, `TOPOLOGY_UNKNOWN`, and the errors of `loadConfig`.
 */
export async function openProviderSet(
  options: ProviderSetOptions,
  cwd: string,
  loadOptions: Pick<LoadConfigOptions, "loadsAdapters">,
): Promise<StoredProviderSet> {
  const sets = await openProviderSets(options, cwd, loadOptions);
  const set = sets.length === 1 ? sets[0] : sets.find(({ topology }) => topology === DEFAULT_TOPOLOGY);
  if (set !== undefined) return set;
  const names = sets.map(({ topology }) => topology).join(", ");
  throw new ProvisioningError(
    "VALIDATION_MISSING_FIELD",
    sets.length === 0
      ? "the configuration names no topologies"
      : `select a topology with --topology; there are ${names}`,
  );
}

/** Returns the sets of all topologies that the options select. */
export async function openProviderSets(
  { config, store, topology }: ProviderSetOptions,
  cwd: string,
  { loadsAdapters }: Pick<LoadConfigOptions, "loadsAdapters">,
): Promise<readonly StoredProviderSet[]> {
  if (config !== undefined && store === undefined) {
    return toSets(await loadConfig(config, { cwd, loadsAdapters }), topology);
  }
  if (store !== undefined && config === undefined && topology === undefined) {
    const file = resolve(cwd, store);
    return [
      {
        file,
        store: new FileProviderStore({ path: file }),
        adapters: createBuiltInAdapters({ baseDir: cwd }),
      },
    ];
  }
  throw new ProvisioningError(
    "VALIDATION_MISSING_FIELD",
    "name either --config FILE, with --topology NAME if there are several, or --store FILE",
  );
}

function toSets(loaded: LoadedConfig, selected: string | undefined): readonly StoredProviderSet[] {
  const { dataDir, adapters, topologies, file: declaredIn } = loaded;
  const found = topologies.filter(({ name }) => selected === undefined || name === selected);
  if (found.length === 0 && selected !== undefined) {
    throw toUnknownTopologyError(
      selected,
      topologies.map(({ name }) => name),
    );
  }
  return found.map(({ name, providers, validation }) => {
    const file = topologyFilesOf(dataDir, name).providers;
    return {
      topology: name,
      file,
      store: new FileProviderStore({ path: file }),
      adapters,
      validation,
      declaredIn: providers === undefined ? undefined : declaredIn,
    };
  });
}

/** Throws `VALIDATION_MALFORMED` when the configuration defines the providers. */
export function assertChangeable({ declaredIn }: StoredProviderSet): void {
  if (declaredIn === undefined) return;
  throw new ProvisioningError(
    "VALIDATION_MALFORMED",
    `${declaredIn} defines the providers: edit it and send the daemon a SIGHUP, ` +
      'or remove "providers" from it to manage them here',
  );
}
