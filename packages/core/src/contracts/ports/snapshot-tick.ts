import type { Epoch } from "../log/epoch.ts";
import type { TopologyStatus } from "../log/topology-state.ts";
import type { SnapshotHash } from "../../model/content-hash.ts";
import type { ProviderSnapshot, SnapshotDelta } from "../../model/provider-snapshot.ts";

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
