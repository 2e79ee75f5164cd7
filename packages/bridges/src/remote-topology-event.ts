import type { ClusterNode, Epoch, ProviderId, SnapshotHash } from "@holdfast/core";

/** The order in which the events of one node come within one `seqNo`. */
export const REMOTE_EVENT_ORDER = { leave: 0, join: 1, blocked: 2, unblocked: 3 } as const;

export type RemoteEventKind = keyof typeof REMOTE_EVENT_ORDER;

/**
 * One step of one node. `join`: a channel may be opened (or stays). `leave`: close it, whatever its address; a block on the
 * node is forgotten with it. A node whose host or port changed leaves and joins. A new epoch begins with a join of every
 * member.
 */
export interface RemoteTopologyEvent {
  /** `epoch/seqNo/nodeId/kind`: the same for a repeat, never used again, also not after a restart. */
  readonly key: string;
  readonly kind: RemoteEventKind;
  /** Whose snapshot led to it. */
  readonly providerId: ProviderId;
  /** For `leave` as it was last told, else as it is now. */
  readonly node: ClusterNode;
  readonly epoch: Epoch;
  /** The place in the log at which it was computed; never decreases within an epoch. */
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
  /** Wall-clock milliseconds at which it was computed. */
  readonly at: number;
}
