import { resolve } from "node:path";
import { ProvisioningError, type AnyProviderAdapter } from "@holdfast/core";
import { FileProviderStore } from "@holdfast/store-file";
import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import type { Config } from "../config/config-schema.ts";
import { loadConfig, type LoadConfigOptions } from "../config/load-config.ts";

/** Selects the store of a `providers` command: the one of a configuration, or a separate file. */
export interface ProviderSetOptions {
  readonly config?: string | undefined;
  readonly store?: string | undefined;
}

/** A stored set of providers, with what is needed to change it. */
export interface StoredProviderSet {
  readonly file: string;
  readonly store: FileProviderStore;
  readonly adapters: readonly AnyProviderAdapter[];
  readonly validation?: Config["validation"] | undefined;
  /** The configuration that defines the providers. Then the store is only a copy. */
  readonly declaredIn?: string | undefined;
}

/** Throws `VALIDATION_MISSING_FIELD` when neither or both are given, and the errors of `loadConfig`. */
export async function openProviderSet(
  options: ProviderSetOptions,
  cwd: string,
  { loadsAdapters }: Pick<LoadConfigOptions, "loadsAdapters">,
): Promise<StoredProviderSet> {
  const { config: configFile, store: storeFile } = options;
  if (configFile !== undefined && storeFile === undefined) {
    const {
      file,
      storeFile: stored,
      providers,
      adapters,
      config,
    } = await loadConfig(configFile, {
      cwd,
      loadsAdapters,
    });
    return {
      file: stored,
      store: new FileProviderStore({ path: stored }),
      adapters,
      validation: config.validation,
      declaredIn: providers === undefined ? undefined : file,
    };
  }
  if (storeFile !== undefined && configFile === undefined) {
    const file = resolve(cwd, storeFile);
    return { file, store: new FileProviderStore({ path: file }), adapters: createBuiltInAdapters(cwd) };
  }
  throw new ProvisioningError("VALIDATION_MISSING_FIELD", "name either --config FILE or --store FILE");
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
