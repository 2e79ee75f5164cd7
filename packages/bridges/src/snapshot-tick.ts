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

/** A snapshot of the log that waits to be handed on. */
export interface PendingSnapshot {
  readonly kind: "snapshot";
  readonly epoch: Epoch;
  readonly seqNo: number;
  readonly snapshot: ProviderSnapshot;
  readonly status: TopologyStatus;
  /** The log's own delta and the hash of what it starts from; absent for a lane that began with the state. */
  readonly step?: { readonly from: SnapshotHash | undefined; readonly delta: SnapshotDelta } | undefined;
}

const NOTHING = { members: MemberSet.empty, blockedNodes: [] };

/**
 * The way from what was acknowledged (from nothing, if nothing was): the log's own delta where that starts from the same
 * content, as it does unless snapshots were overtaken, else computed.
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
