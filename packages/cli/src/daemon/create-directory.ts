import {
  FileDiscoveryStore,
  FileGenerationStore,
  FileProviderStore,
  FileSnapshotStore,
} from "@holdfast/store-file";
import { Directory, type DirectoryDefinition } from "holdfast";
import type { Registry } from "prom-client";
import { discoveryFileOf, generationFileOf, topologyFilesOf } from "../config/data-files.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import type { Terminal } from "../terminal.ts";

/** The name of the setting that decides the paths, for error messages. */
const setting = "dataDir";

/** Creates the directory of a configuration. Its topologies keep their files in the data folder. */
export function createDirectory(
  { adapters, dataDir }: LoadedConfig,
  metricsRegistry: Registry,
  { clock, random }: Terminal,
): Directory {
  return new Directory({
    adapters,
    storesFor(name) {
      const { providers, snapshot } = topologyFilesOf(dataDir, name);
      return {
        providers: new FileProviderStore({ path: providers, setting }),
        snapshots: new FileSnapshotStore({ path: snapshot, setting, clock }),
      };
    },
    discoveryStore: new FileDiscoveryStore({ path: discoveryFileOf(dataDir), setting }),
    generation: new FileGenerationStore({ path: generationFileOf(dataDir), setting, clock }),
    metricsRegistry,
    clock,
    random,
  });
}

/** Returns what the configuration says about topologies, for `Directory.start` and `Directory.reload`. */
export function toDefinition({ topologies, discoveries }: LoadedConfig): DirectoryDefinition {
  return { topologies, discoveries };
}
