import type { TopologyNotice } from "../log/topology-event.ts";
import type { Awaitable, CallOptions } from "./call-options.ts";
import type { RemoteTopologyEvent } from "./remote-topology-event.ts";

/** Your channels to nodes. One call at a time; a call that throws or rejects is repeated with backoff. */
export interface RemotingPort {
  /**
   * At least once: a batch that failed comes again, in whole (same keys) or computed anew. Within one epoch events are
   * sorted by `seqNo`, then node id. `RemoteEventFilter` drops the repeats.
   */
  applyEvents(events: readonly RemoteTopologyEvent[], options: CallOptions): Awaitable<void>;
  notify(notice: TopologyNotice, options: CallOptions): Awaitable<void>;
}
