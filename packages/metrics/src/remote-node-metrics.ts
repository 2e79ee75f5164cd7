import type { Clock, RemoteNodeReport, RemoteNodeState } from "@holdfast/core";
import type { TopologyMetricGroup } from "./metric-group.ts";
import type { GaugeSeries } from "./topology-series.ts";

const STATES: readonly RemoteNodeState[] = ["up", "degraded", "down"];
const STEP = 1_000;

/**
 * Counts remote nodes by state, and shows a bounded number of series for those that are not up, so that a topology of
 * 100,000 nodes does not become 100,000 series.
 */
export class RemoteNodeMetrics {
  readonly #count: GaugeSeries<"state">;
  readonly #state: GaugeSeries<"node" | "state">;
  readonly #lastUpdate: GaugeSeries<"node">;

  constructor(group: TopologyMetricGroup) {
    this.#count = group.collected({
      name: "remote_nodes",
      help: "Remote nodes by state.",
      labels: ["state"],
    });
    this.#state = group.collected({
      name: "remote_node_state",
      help: "State of a remote node that is not up; always 1. Only the first maxNodeSeries, down before degraded.",
      labels: ["node", "state"],
    });
    this.#lastUpdate = group.collected({
      name: "remote_node_last_update_timestamp_seconds",
      help: "Time of the last event about the node to Remoting, in seconds since 1970. Same nodes as remote_node_state.",
      labels: ["node"],
    });
  }

  /**
   * Takes one pass over all nodes and yields to the event loop after every thousand. At most `maxSeries` nodes get series; resolves with
   * their number.
   */
  async collect(reports: Iterable<RemoteNodeReport>, clock: Clock, maxSeries: number): Promise<number> {
    const counts: Record<RemoteNodeState, number> = { up: 0, degraded: 0, down: 0 };
    const degraded: RemoteNodeReport[] = [];
    const down: RemoteNodeReport[] = [];
    let seen = 0;
    for (const report of reports) {
      counts[report.state]++;
      if (report.state !== "up") {
        const list = report.state === "down" ? down : degraded;
        if (list.length < maxSeries) list.push(report);
      }
      if (++seen % STEP === 0) await clock.yield();
    }
    for (const state of STATES) this.#count.set({ state }, counts[state]);
    this.#state.reset();
    this.#lastUpdate.reset();
    const shown = [...down, ...degraded].slice(0, maxSeries);
    for (const { nodeId: node, state, lastUpdateAt } of shown) {
      this.#state.set({ node, state }, 1);
      this.#lastUpdate.set({ node }, lastUpdateAt / 1_000);
    }
    return shown.length;
  }
}
