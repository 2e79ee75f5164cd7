import {
  diffSnapshots,
  MemberSet,
  type Epoch,
  type ProviderSnapshot,
  type SnapshotDelta,
  type SnapshotHash,
  type TopologyStatus,
} from "@holdfast/core";

/** A snapshot as handed to a port. Ticks that were overtaken are skipped, so `seqNo` grows but has gaps. */
export interface SnapshotTick {
  readonly epoch: Epoch;
  readonly seqNo: number;
  readonly snapshot: ProviderSnapshot;
  /** Of the last snapshot this port acknowledged: the cache that is void now. Absent for the first. */
  readonly previousHash?: SnapshotHash | undefined;
  /** From the last snapshot this port acknowledged (from nothing for the first). Computed when first asked for. */
  readonly delta: SnapshotDelta;
  /** Of the topology as the snapshot arrived; changes are told as notices. */
  readonly status: TopologyStatus;
}

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
