import { resolve } from "node:path";
import { ProvisioningError, type AnyProviderAdapter } from "@holdfast/core";
import { FileProviderStore } from "@holdfast/store-file";
import { createBuiltInAdapters } from "../adapters/built-in-adapters.ts";
import type { Config } from "../config/config-schema.ts";
import { loadConfig, type LoadConfigOptions } from "../config/load-config.ts";

/** Which store a `providers` command works on: the one of a configuration, or a file of its own. */
export interface ProviderSetOptions {
  readonly config?: string | undefined;
  readonly store?: string | undefined;
}

/** A stored set of providers and what may be done to it. */
export interface StoredProviderSet {
  readonly file: string;
  readonly store: FileProviderStore;
  readonly adapters: readonly AnyProviderAdapter[];
  readonly validation?: Config["validation"] | undefined;
  /** The configuration that says which providers there are; then the store only follows it. */
  readonly declaredIn?: string | undefined;
}

/** Throws `VALIDATION_MISSING_FIELD` when neither or both are named, or as `loadConfig` does. */
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

/** Throws `VALIDATION_MALFORMED` when the configuration itself says which providers there are. */
export function assertChangeable({ declaredIn }: StoredProviderSet): void {
  if (declaredIn === undefined) return;
  throw new ProvisioningError(
    "VALIDATION_MALFORMED",
    `${declaredIn} declares the providers itself: edit it and send the daemon a SIGHUP, ` +
      'or take "providers" out of it to manage them here',
  );
}
