import type { ErrorCode, ProviderId, SnapshotEvent, TopologyEvent } from "@holdfast/core";
import type { TopologyMetricGroup } from "./metric-group.ts";
import { ProviderSeries } from "./provider-series.ts";
import type { CounterSeries, GaugeSeries, HistogramSeries } from "./topology-series.ts";

const LATENCY_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** The maximum number of providers in a set. */
const MAX_INTERRUPTED = 1_000;

/** Counts events, and records the `seqNo` of the last event of each series. */
export class LogMetrics {
  readonly #latency: HistogramSeries<"provider">;
  readonly #latencySeqNo: GaugeSeries<"provider">;
  readonly #failovers: CounterSeries<"from" | "to" | "reason">;
  readonly #failoversSeqNo: GaugeSeries<"from" | "to" | "reason">;
  readonly #interruptions: CounterSeries<"provider" | "code">;
  readonly #interruptionsSeqNo: GaugeSeries<"provider" | "code">;
  readonly #holds: CounterSeries<"guard" | "provider">;
  readonly #holdsSeqNo: GaugeSeries<"guard" | "provider">;
  readonly #series: ProviderSeries;
  #holding = new Set<string>();
  /** Providers whose current outage has been counted. */
  readonly #interrupted = new Set<ProviderId>();

  /** `configured` returns the current providers. Of removed providers only the last few keep their series. */
  constructor(group: TopologyMetricGroup, configured: () => Iterable<ProviderId>) {
    this.#series = new ProviderSeries(configured);
    this.#latency = group.histogram({
      name: "snapshot_latency_seconds",
      help: "Time from reading the backend's response to delivering its snapshot in the ordered log.",
      labels: ["provider"],
      buckets: LATENCY_BUCKETS,
    });
    this.#latencySeqNo = group.gauge({
      name: "snapshot_latency_last_seqno",
      help: "Sequence number of the snapshot whose latency was observed last.",
      labels: ["provider"],
    });
    this.#failovers = group.counter({
      name: "failovers_total",
      help: "Switches of the active provider, including failbacks.",
      labels: ["from", "to", "reason"],
    });
    this.#failoversSeqNo = group.gauge({
      name: "failovers_last_seqno",
      help: "Sequence number of the last such switch.",
      labels: ["from", "to", "reason"],
    });
    this.#interruptions = group.counter({
      name: "stream_interruptions_total",
      help: "Watches that ended, failed or never delivered, by error code (STREAM_ENDED: the backend ended it).",
      labels: ["provider", "code"],
    });
    this.#interruptionsSeqNo = group.gauge({
      name: "stream_interruptions_last_seqno",
      help: "Sequence number of the last such interruption.",
      labels: ["provider", "code"],
    });
    this.#holds = group.counter({
      name: "guard_holds_total",
      help: "Number of times that a guard began to keep members that the provider does not list.",
      labels: ["guard", "provider"],
    });
    this.#holdsSeqNo = group.gauge({
      name: "guard_holds_last_seqno",
      help: "Sequence number of the last time that a guard began to keep members.",
      labels: ["guard", "provider"],
    });
  }

  record(event: TopologyEvent): void {
    switch (event.kind) {
      case "snapshot": {
        if (!bringsMembers(event)) break;
        const labels = { provider: event.snapshot.providerId };
        this.#latency.observe(labels, Math.max(event.at - event.snapshot.observedAt, 0) / 1_000);
        this.#latencySeqNo.set(labels, event.seqNo);
        this.#series.touch([labels.provider], labels, [this.#latency, this.#latencySeqNo]);
        break;
      }
      case "provider_changed": {
        const labels = { from: event.from, to: event.to, reason: event.reason };
        this.#failovers.inc(labels);
        this.#failoversSeqNo.set(labels, event.seqNo);
        this.#series.touch([event.from, event.to], labels, [this.#failovers, this.#failoversSeqNo]);
        break;
      }
      case "stream_terminated": {
        const code = event.reason.kind === "ended" ? "STREAM_ENDED" : event.reason.code;
        this.#interrupt(event.providerId, code, event.seqNo);
        break;
      }
      case "health_changed": {
        const { providerId, to, reason, seqNo } = event;
        // A provider that never delivered has no stream to terminate, so its outage is counted when it becomes
        // unreachable.
        if (to === "healthy" || to === "idle") this.#interrupted.delete(providerId);
        else if (to === "unreachable" && reason !== undefined && !this.#interrupted.has(providerId))
          this.#interrupt(providerId, reason.code, seqNo);
        break;
      }
      case "guard_changed": {
        // A hold is emitted again when its end changes; that is not a new hold.
        const key = JSON.stringify([event.guard, event.providerId]);
        if (!event.isHolding) this.#holding.delete(key);
        if (!event.isHolding || this.#holding.has(key)) break;
        this.#holding.add(key);
        const labels = { guard: event.guard, provider: event.providerId };
        this.#holds.inc(labels);
        this.#holdsSeqNo.set(labels, event.seqNo);
        this.#series.touch([labels.provider], labels, [this.#holds, this.#holdsSeqNo]);
        break;
      }
      case "status_changed":
        break;
    }
  }

  #interrupt(provider: ProviderId, code: ErrorCode, seqNo: number): void {
    const labels = { provider, code };
    this.#interrupted.add(provider);
    const [oldest] = this.#interrupted;
    if (this.#interrupted.size > MAX_INTERRUPTED && oldest !== undefined) this.#interrupted.delete(oldest);
    this.#interruptions.inc(labels);
    this.#interruptionsSeqNo.set(labels, seqNo);
    this.#series.touch([provider], labels, [this.#interruptions, this.#interruptionsSeqNo]);
  }
}

/** False for a snapshot that only blocks or unblocks nodes, because its response was read and delivered earlier. */
function bringsMembers({ previousHash, delta }: SnapshotEvent): boolean {
  return previousHash === undefined || delta.added.length + delta.updated.length + delta.removed.length > 0;
}
