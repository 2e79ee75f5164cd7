import type { Lease } from "./lease.ts";
import type { TopologyNotice } from "../log/topology-event.ts";
import type { Awaitable, CallOptions } from "./call-options.ts";
import type { SnapshotTick } from "./snapshot-tick.ts";

/**
 * Your placement code. There is one call at a time. A call that throws, rejects or exceeds its deadline is repeated
 * with backoff, and nothing later is delivered before it succeeds, is overtaken by a newer snapshot or is given up.
 */
export interface PlacementPort {
  /**
   * Recomputes ownership. The returned leases are published to Partition within this tick; returning nothing means that
   * ownership does not change. At any other time use `PlacementSupervisorBridge.publishLeases`.
   */
  applySnapshot(tick: SnapshotTick, options: CallOptions): Awaitable<readonly Lease[] | void>;
  notify(notice: TopologyNotice, options: CallOptions): Awaitable<void>;
}
