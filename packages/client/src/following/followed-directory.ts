import { ProvisioningError, type ReadOptions, type TopologyName } from "@holdfast/core";
import type { FollowedTopology } from "./followed-topology.ts";

/** Maximum number of topologies that an error names. */
const MAX_NAMED = 20;

/** Several topologies that are followed, by name. Made by `follow`. */
export class FollowedDirectory implements AsyncDisposable {
  readonly #topologies: ReadonlyMap<TopologyName, FollowedTopology>;

  constructor(topologies: ReadonlyMap<TopologyName, FollowedTopology>) {
    this.#topologies = topologies;
  }

  /** The names of all topologies, sorted. */
  names(): readonly TopologyName[] {
    return [...this.#topologies.keys()].sort();
  }

  find(name: TopologyName): FollowedTopology | undefined {
    return this.#topologies.get(name);
  }

  /** Throws `TOPOLOGY_UNKNOWN`, which names the topologies that are followed. */
  topology(name: TopologyName): FollowedTopology {
    const found = this.find(name);
    if (found !== undefined) return found;
    const names = this.names();
    const shown = names.slice(0, MAX_NAMED).join(", ");
    const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : "";
    throw new ProvisioningError(
      "TOPOLOGY_UNKNOWN",
      `no topology has this name; followed are ${shown}${more}`,
      {
        details: { names: names.slice(0, MAX_NAMED) },
      },
    );
  }

  /** Resolves when each topology has members to work with. Rejects as `FollowedTopology.ready` does. */
  async ready(options?: ReadOptions): Promise<void> {
    await Promise.all(this.#topologies.values().map((topology) => topology.ready(options)));
  }

  /** Ends every connection and iteration. May be called again. */
  async close(): Promise<void> {
    await Promise.all(this.#topologies.values().map((topology) => topology.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
