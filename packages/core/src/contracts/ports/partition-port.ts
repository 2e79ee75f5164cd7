import type { TopologyNotice } from "../log/topology-event.ts";
import type { LeaseTick } from "./lease-tick.ts";
import type { Awaitable, CallOptions } from "./call-options.ts";
import type { SnapshotTick } from "./snapshot-tick.ts";

/**
 * Your partition map. There is one call at a time. A call that throws, rejects or exceeds its deadline is repeated with
 * backoff, and nothing later is delivered before it succeeds, is overtaken by a newer snapshot or is given up.
 */
export interface PartitionPort {
  applySnapshot(tick: SnapshotTick, options: CallOptions): Awaitable<void>;
  /**
   * Called after `applySnapshot` of the same `seqNo`, before any later snapshot. May be called more than once for one
   * `seqNo`, when Placement changes ownership in between: the last call counts.
   */
  publishLeases(leases: LeaseTick, options: CallOptions): Awaitable<void>;
  notify(notice: TopologyNotice, options: CallOptions): Awaitable<void>;
}
