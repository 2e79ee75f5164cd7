import type { PortReport } from "@holdfast/core";
import type { TopologyMetricGroup } from "./metric-group.ts";
import type { GaugeSeries } from "./topology-series.ts";

/** Metrics of the consumers behind the ports, read at each scrape. */
export class PortMetrics {
  readonly #behind: GaugeSeries<"port">;
  readonly #seqNo: GaugeSeries<"port">;
  readonly #waiting: GaugeSeries<"port">;
  readonly #parked: GaugeSeries<"port">;
  readonly #failures: GaugeSeries<"port">;
  readonly #overdue: GaugeSeries<"port">;
  readonly #inProgress: GaugeSeries<"port">;

  constructor(group: TopologyMetricGroup) {
    this.#behind = group.collected({
      name: "port_behind",
      help: "1 while the others do not wait for the consumer because it missed a deadline, else 0.",
      labels: ["port"],
    });
    this.#seqNo = group.collected({
      name: "port_acknowledged_seqno",
      help: "Sequence number of the newest snapshot the consumer acknowledged; 0 before the first.",
      labels: ["port"],
    });
    this.#waiting = group.collected({
      name: "port_waiting_notices",
      help: "Notices that wait to be delivered to the consumer.",
      labels: ["port"],
    });
    this.#parked = group.collected({
      name: "port_parked_notices",
      help: "Notices to the consumer that were parked since the start of the service.",
      labels: ["port"],
    });
    this.#failures = group.collected({
      name: "port_failed_calls",
      help: "Calls of the consumer that failed since the start of the service, including those past their deadline.",
      labels: ["port"],
    });
    this.#overdue = group.collected({
      name: "port_overdue_calls",
      help: "Calls of the consumer that are past their deadline and have not returned.",
      labels: ["port"],
    });
    this.#inProgress = group.collected({
      name: "port_call_in_progress_seconds",
      help: "How long the oldest call of the consumer has been in progress, also past its deadline; 0 without one.",
      labels: ["port"],
    });
  }

  collect(reports: readonly PortReport[]): void {
    for (const { port, isBehind, seqNo, waiting, parked, failures, overdue, inProgress } of reports) {
      this.#behind.set({ port }, isBehind ? 1 : 0);
      this.#seqNo.set({ port }, seqNo);
      this.#waiting.set({ port }, waiting);
      this.#parked.set({ port }, parked);
      this.#failures.set({ port }, failures);
      this.#overdue.set({ port }, overdue);
      this.#inProgress.set({ port }, (inProgress?.forMs ?? 0) / 1_000);
    }
  }
}
