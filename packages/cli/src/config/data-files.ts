import { join } from "node:path";
import { DEFAULT_TOPOLOGY, type TopologyName } from "@holdfast/core";

/** The paths of the stored files of one topology. */
export interface TopologyFiles {
  /** The stored providers. */
  readonly providers: string;
  /** The last known good snapshot. */
  readonly snapshot: string;
}

/** Returns the files of a topology: those of `default` are at the top of the data folder, others in `topologies/NAME`. */
export function topologyFilesOf(dataDir: string, name: TopologyName): TopologyFiles {
  const folder = name === DEFAULT_TOPOLOGY ? dataDir : join(topologiesFolderOf(dataDir), name);
  return { providers: join(folder, "providers.jsonl"), snapshot: join(folder, "last-known-good.jsonl") };
}

/** Returns the folder that has a folder for each topology other than `default`. */
export function topologiesFolderOf(dataDir: string): string {
  return join(dataDir, "topologies");
}

/** Returns the path of the file with what discoveries have found. */
export function discoveryFileOf(dataDir: string): string {
  return join(dataDir, "services.jsonl");
}

/** Returns the path of the file with the number of the newest run of the daemon, which all topologies share. */
export function generationFileOf(dataDir: string): string {
  return join(dataDir, "generation.json");
}
