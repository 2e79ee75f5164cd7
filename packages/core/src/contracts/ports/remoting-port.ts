import type { TopologyNotice } from "../log/topology-event.ts";
import type { Awaitable, CallOptions } from "./call-options.ts";
import type { RemoteTopologyEvent } from "./remote-topology-event.ts";

/** Your channels to nodes. There is one call at a time. A call that throws or rejects is repeated with backoff. */
export interface RemotingPort {
  /**
   * Delivery is at least once: a failed batch is sent again, either unchanged (same keys) or computed again. Within one
   * epoch events are sorted by `seqNo`, then node id. `RemoteEventFilter` drops the repeats.
   */
  applyEvents(events: readonly RemoteTopologyEvent[], options: CallOptions): Awaitable<void>;
  notify(notice: TopologyNotice, options: CallOptions): Awaitable<void>;
}
