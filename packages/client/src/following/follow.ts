import { DEFAULT_TOPOLOGY, isTopologyName, ProvisioningError, type TopologyName } from "@holdfast/core";
import type { FollowManyOptions, FollowOptions } from "./follow-options.ts";
import { FollowedDaemons } from "./followed-daemons.ts";
import { FollowedDirectory } from "./followed-directory.ts";
import type { FollowedTopology } from "./followed-topology.ts";

/**
 * Follows a topology of a daemon over HTTP, or several. Returns at once; `ready()` resolves when there are members to work with. A
 * connection that breaks is opened again and continues where it stopped; when a daemon fails, the next address is used, which is a
 * `provider_changed` event. A daemon that does not have the topology counts as failed (`TOPOLOGY_UNKNOWN`), not as empty. Throws
 * `VALIDATION_MALFORMED` for an address that is not `http://HOST:PORT` or `https://HOST:PORT`, and for a text that is not the name of a
 * topology.
 */
export function follow(options: FollowOptions): FollowedTopology;
export function follow(options: FollowManyOptions): FollowedDirectory;
export function follow(options: FollowOptions | FollowManyOptions): FollowedTopology | FollowedDirectory {
  const daemons = new FollowedDaemons(options);
  if (options.topologies === undefined) {
    const { topology = DEFAULT_TOPOLOGY, lastKnownGood } = options;
    assertTopologyName(topology, "topology");
    return daemons.topology(topology, lastKnownGood);
  }
  const { topologies, lastKnownGood } = options;
  const names = new Set(topologies);
  // Before the first one begins to follow.
  for (const [index, name] of topologies.entries()) assertTopologyName(name, `topologies[${index}]`);
  return new FollowedDirectory(
    new Map(names.values().map((name) => [name, daemons.topology(name, lastKnownGood?.(name))])),
  );
}

function assertTopologyName(name: TopologyName, path: string): void {
  if (isTopologyName(name)) return;
  const expected = "the name of a topology: letters, digits, '.', '_' and '-'";
  throw new ProvisioningError("VALIDATION_MALFORMED", `${path}: expected ${expected}`, {
    details: { path, expected },
  });
}
