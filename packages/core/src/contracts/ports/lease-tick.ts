import type { Epoch } from "../log/epoch.ts";
import type { SnapshotHash } from "../../model/content-hash.ts";
import type { Lease } from "./lease.ts";

/** All leases of Placement, and the tick they hold for. */
export interface LeaseTick {
  readonly epoch: Epoch;
  /** Of the tick that Partition applied last: the one the leases were computed with, or left in force by. */
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
  readonly leases: readonly Lease[];
}
