import type { Epoch } from "../log/epoch.ts";
import type { TopologyStatus } from "../log/topology-state.ts";
import type { SnapshotHash } from "../../model/content-hash.ts";
import type { ProviderSnapshot, SnapshotDelta } from "../../model/provider-snapshot.ts";

/** A snapshot for a port. Overtaken snapshots are skipped, so `seqNo` increases but has gaps. */
export interface SnapshotTick {
  readonly epoch: Epoch;
  readonly seqNo: number;
  readonly snapshot: ProviderSnapshot;
  /**
   * Hash of the last snapshot that this port acknowledged, whose cached results are now invalid. Absent for the first.
   */
  readonly previousHash?: SnapshotHash | undefined;
  /**
   * The change from the last snapshot that this port acknowledged (from the empty set for the first). Computed when
   * first read.
   */
  readonly delta: SnapshotDelta;
  /** The status of the topology when the snapshot arrived. Later changes are delivered as notices. */
  readonly status: TopologyStatus;
}
