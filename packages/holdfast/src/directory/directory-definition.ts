import type { DiscoveryDefinition } from "../discovery/discovery-definition.ts";
import type { TopologyDefinition } from "./topology-definition.ts";

/** All topologies of a directory. */
export interface DirectoryDefinition {
  /** Names must be unique. */
  readonly topologies: readonly TopologyDefinition[];
  /** Topologies for the services that backends list. @defaultValue none */
  readonly discoveries?: readonly DiscoveryDefinition[] | undefined;
}
