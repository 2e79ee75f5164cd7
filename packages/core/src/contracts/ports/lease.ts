import type { NodeId } from "../../model/cluster-node.ts";

/** Who owns what, as Placement decided. */
export interface Lease {
  /** Names what is owned, for example a partition or a shard. */
  readonly resource: string;
  readonly nodeId: NodeId;
  /** Wall-clock milliseconds; absent when it holds until revoked. */
  readonly expiresAt?: number | undefined;
}
