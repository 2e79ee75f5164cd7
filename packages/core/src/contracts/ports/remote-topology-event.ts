import type { ClusterNode } from "../../model/cluster-node.ts";
import type { Epoch } from "../log/epoch.ts";
import type { ProviderId } from "../../model/provider-id.ts";
import type { SnapshotHash } from "../../model/content-hash.ts";

export type RemoteEventKind = "leave" | "join" | "blocked" | "unblocked";

/**
 * One step of one node. What a receiver does: `join`: open a channel, or keep one to the same address; a block stays. `leave`: close
 * it, whatever its address, and forget the block. `blocked`: start no new work and close the channel. `unblocked`: use the node
 * again; it comes after the next good refresh that follows a restore. A node whose host or port changed leaves and joins.
 *
 * Drop repeats, older numbers and older epochs (`RemoteEventFilter`). A gap in `seqNo` is normal and loses nothing. A new epoch begins
 * with a join of every member that is not held back; blocks of the old epoch are void, and who left between the two gets no leave.
 * The README of `@holdfast/bridges` has the whole policy, and examples/remoting-receiver a receiver that follows it.
 */
export interface RemoteTopologyEvent {
  /** `epoch/seqNo/nodeId/kind`: the same for a repeat, never used again, also not after a restart. */
  readonly key: string;
  readonly kind: RemoteEventKind;
  /** Whose snapshot led to it. */
  readonly providerId: ProviderId;
  /** For `leave` as in the last event about it, else as it is now. */
  readonly node: ClusterNode;
  readonly epoch: Epoch;
  /** The place in the log at which it was computed; never decreases within an epoch. */
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
  /** Wall-clock milliseconds at which it was computed. */
  readonly at: number;
}
