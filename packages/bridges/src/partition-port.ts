import type { Epoch, SnapshotHash, TopologyNotice } from "@holdfast/core";
import type { Lease } from "./placement-port.ts";
import type { Awaitable, CallOptions } from "./port-call.ts";
import type { SnapshotTick } from "./snapshot-tick.ts";

/** All leases of Placement, and the tick they hold for. */
export interface LeaseTick {
  readonly epoch: Epoch;
  /** Of the tick that Partition applied last: the one the leases were computed with, or left in force by. */
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
  readonly leases: readonly Lease[];
}

/**
 * Your partition map. One call at a time; a call that throws, rejects or is past its deadline is repeated with backoff, and
 * nothing later is delivered before it succeeds, is overtaken by a newer snapshot or is given up.
 */
export interface PartitionPort {
  applySnapshot(tick: SnapshotTick, options: CallOptions): Awaitable<void>;
  /**
   * Follows `applySnapshot` of the same `seqNo`, before any later snapshot. May come more than once for one `seqNo`, when
   * Placement changes ownership in between: the last call counts.
   */
  publishLeases(leases: LeaseTick, options: CallOptions): Awaitable<void>;
  notify(notice: TopologyNotice, options: CallOptions): Awaitable<void>;
}
