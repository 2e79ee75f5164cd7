import type { ClusterNode } from "../../model/cluster-node.ts";
import type { Epoch } from "../log/epoch.ts";
import type { ProviderId } from "../../model/provider-id.ts";
import type { SnapshotHash } from "../../model/content-hash.ts";

export type RemoteEventKind = "leave" | "join" | "blocked" | "unblocked";

/**
 * One change of one node. A receiver handles it as follows. `join`: open a channel, or keep one to the same address; a
 * block stays. `leave`: close the channel, whatever its address, and forget the block. `blocked`: start no new work and
 * close the channel. `unblocked`: use the node again; it is sent after the next good refresh that follows a restore. A
 * node whose host or port changed leaves and joins.
 *
 * Drop repeats, older numbers and older epochs (`RemoteEventFilter`). A gap in `seqNo` is normal and loses nothing. A
 * new epoch starts with a join of every member that is not held back; blocks of the old epoch are void, and a node that
 * left between the two epochs gets no leave. The README of `@holdfast/bridges` has the whole policy, and
 * examples/remoting-receiver has a receiver that follows it.
 */
export interface RemoteTopologyEvent {
  /** `epoch/seqNo/nodeId/kind`. A repeat has the same key; a key is never reused, also not after a restart. */
  readonly key: string;
  readonly kind: RemoteEventKind;
  /** The provider whose snapshot caused the event. */
  readonly providerId: ProviderId;
  /** For `leave`, the node of the last event about it; otherwise the current node. */
  readonly node: ClusterNode;
  readonly epoch: Epoch;
  /** The position in the log at which the event was computed; never decreases within an epoch. */
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
  /** Wall-clock milliseconds at which the event was computed. */
  readonly at: number;
}
