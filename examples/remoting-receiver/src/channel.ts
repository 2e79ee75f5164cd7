import type { ClusterNode } from "@holdfast/core";

/** A connection to one node at one address, for example a gRPC channel or a pool of HTTP connections. */
export interface Channel {
  readonly node: ClusterNode;
  /** Starts to close the channel. Does not throw. A second call has no effect. */
  close(): void;
}

/**
 * Opens a channel. Returns at once and connects in the background, as most clients do. The channel must handle a node
 * that cannot be reached. If `OpenChannel` throws, the service delivers the batch again.
 */
export type OpenChannel = (node: ClusterNode) => Channel;
