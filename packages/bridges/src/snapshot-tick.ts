import {
  diffSnapshots,
  MemberSet,
  type Epoch,
  type ProviderSnapshot,
  type SnapshotDelta,
  type SnapshotHash,
  type SnapshotTick,
  type TopologyStatus,
} from "@holdfast/core";

/** A snapshot of the log that waits to be delivered. */
export interface PendingSnapshot {
  readonly kind: "snapshot";
  readonly epoch: Epoch;
  readonly seqNo: number;
  readonly snapshot: ProviderSnapshot;
  readonly status: TopologyStatus;
  /**
   * The delta of the log event, and the hash of the snapshot it starts from. Absent for the initial state of a lane.
   */
  readonly step?: { readonly from: SnapshotHash | undefined; readonly delta: SnapshotDelta } | undefined;
}

const NOTHING = { members: MemberSet.empty, blockedNodes: [] };

/**
 * Returns the delta from the acknowledged snapshot, or from the empty set if there is none. Uses the delta of the log
 * event if it starts from the same content, which is the case unless snapshots were overtaken; otherwise computes it.
 */
export function deltaFrom(
  acknowledged: Pick<ProviderSnapshot, "members" | "blockedNodes" | "hash"> | undefined,
  { snapshot, step }: PendingSnapshot,
): SnapshotDelta {
  if (step !== undefined && step.from === acknowledged?.hash) return step.delta;
  return diffSnapshots(acknowledged ?? NOTHING, snapshot);
}

export function createSnapshotTick(
  pending: PendingSnapshot,
  acknowledged: ProviderSnapshot | undefined,
): SnapshotTick {
  const { epoch, seqNo, snapshot, status } = pending;
  let delta: SnapshotDelta | undefined;
  return {
    epoch,
    seqNo,
    snapshot,
    previousHash: acknowledged?.hash,
    get delta() {
      return (delta ??= deltaFrom(acknowledged, pending));
    },
    status,
  };
}
