import { DEFAULT_TOPOLOGY, isTopologyName, ProvisioningError, type TopologyName } from "@holdfast/core";
import type { ServerView } from "./server-view.ts";

export interface DirectoryChange {
  readonly type: "appeared" | "disappeared";
  readonly name: TopologyName;
}

/** The topologies that the HTTP server serves, by name. */
export interface ServerDirectory {
  /** Sorted. */
  names(): readonly TopologyName[];
  /** False: the backends in which topologies are discovered are not known yet, so a topology that is missing may still appear. */
  isComplete(): boolean;
  /** Returns the same object as long as the topology exists. */
  find(name: TopologyName): ServerView | undefined;
  /**
   * Calls the listener after a topology was added or removed. The log of a removed topology has reported `draining` or
   * `stopped` before. Returns a function that unsubscribes.
   */
  onChange(listener: (change: DirectoryChange) => unknown): () => void;
  /** Prometheus text of all topologies and of the process. */
  metrics(): Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Maximum number of topologies that an error names. */
const NAMED = 10;

/** Returns a topology. Throws `TOPOLOGY_UNKNOWN`, which names some of the known ones. */
export function findTopology(directory: ServerDirectory, name: string): ServerView {
  const view = isTopologyName(name) ? directory.find(name) : undefined;
  if (view !== undefined) return view;
  throw new ProvisioningError("TOPOLOGY_UNKNOWN", `${toSubject(name)}; ${toKnown(directory.names())}`);
}

function toSubject(name: string): string {
  if (!isTopologyName(name)) return "no topology has such a name";
  const subject = `no topology is called "${name}"`;
  return name === DEFAULT_TOPOLOGY ? `${subject}, so the path must name one: /topologies/NAME` : subject;
}

function toKnown(names: readonly TopologyName[]): string {
  if (names.length === 0) return "there are no topologies";
  const rest = names.length - NAMED;
  const named = names.slice(0, NAMED).join(", ");
  return `known are ${named}${rest > 0 ? ` and ${rest} more (see /topologies)` : ""}`;
}
