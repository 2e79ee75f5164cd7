import type { ClusterNode } from "@holdfast/core";

/** A way to one node at one address, for example a gRPC channel or a pool of HTTP connections. */
export interface Channel {
  readonly node: ClusterNode;
  /** Begins to close. Does not throw, and a second call does nothing. */
  close(): void;
}

/**
 * Opens a channel. It returns at once and connects by itself, as most clients do: a node that cannot be reached is the
 * channel's business, not a failure of the event. What it throws makes the batch come again.
 */
export type OpenChannel = (node: ClusterNode) => Channel;
