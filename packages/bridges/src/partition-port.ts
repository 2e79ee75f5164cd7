import type { Epoch, SnapshotHash, TopologyNotice } from "@holdfast/core";
import type { Lease } from "./placement-port.ts";
import type { Awaitable, CallOptions } from "./port-call.ts";
import type { SnapshotTick } from "./snapshot-tick.ts";

/** The leases Placement computed from the snapshot of the same `seqNo`. */
export interface LeaseTick {
  readonly epoch: Epoch;
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
  readonly leases: readonly Lease[];
}

/**
 * Your partition map. One call at a time; a call that throws or rejects is repeated with backoff, and nothing later is
 * told before it succeeds or a newer snapshot overtakes it.
 */
export interface PartitionPort {
  applySnapshot(tick: SnapshotTick, options: CallOptions): Awaitable<void>;
  /** Follows `applySnapshot` of the same `seqNo`, before anything later. Never overtaken. */
  publishLeases(leases: LeaseTick, options: CallOptions): Awaitable<void>;
  notify(notice: TopologyNotice, options: CallOptions): Awaitable<void>;
}
