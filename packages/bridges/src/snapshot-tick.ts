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
}

const NOTHING = { members: MemberSet.empty, blockedNodes: [] };

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
      return (delta ??= diffSnapshots(acknowledged ?? NOTHING, snapshot));
    },
    status,
  };
}
