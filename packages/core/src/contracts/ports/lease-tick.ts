import type { Epoch } from "../log/epoch.ts";
import type { SnapshotHash } from "../../model/content-hash.ts";
import type { Lease } from "./lease.ts";

/** All leases of Placement, and the tick that they belong to. */
export interface LeaseTick {
  readonly epoch: Epoch;
  /**
   * Number of the last tick that Partition applied: the tick that the leases were computed with, or that left them
   * unchanged.
   */
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
  readonly leases: readonly Lease[];
}
