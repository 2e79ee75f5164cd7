import type { Lease } from "./lease.ts";
import type { TopologyNotice } from "../log/topology-event.ts";
import type { Awaitable, CallOptions } from "./call-options.ts";
import type { SnapshotTick } from "./snapshot-tick.ts";

/**
 * Your placement code. One call at a time; a call that throws, rejects or is past its deadline is repeated with backoff, and
 * nothing later is delivered before it succeeds, is overtaken by a newer snapshot or is given up.
 */
export interface PlacementPort {
  /**
   * Recomputes ownership. The leases returned are published to Partition within this tick; nothing returned means that
   * ownership stays as it was. At any other time `PlacementSupervisorBridge.publishLeases` publishes leases.
   */
  applySnapshot(tick: SnapshotTick, options: CallOptions): Awaitable<readonly Lease[] | void>;
  notify(notice: TopologyNotice, options: CallOptions): Awaitable<void>;
}
