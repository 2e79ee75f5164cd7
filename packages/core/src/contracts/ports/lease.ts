import type { NodeId } from "../../model/cluster-node.ts";

/** Assigns a resource to a node, as decided by Placement. */
export interface Lease {
  /** Identifies the owned resource, for example a partition or a shard. */
  readonly resource: string;
  readonly nodeId: NodeId;
  /** Wall-clock milliseconds; absent when the lease is valid until it is revoked. */
  readonly expiresAt?: number | undefined;
}
