import {
  DEFAULT_TOPOLOGY,
  type Clock,
  type PortReport,
  type ProviderHealthReport,
  type RemoteNodeReport,
  type TopologyName,
  type TopologySource,
  type Unsubscribe,
} from "@holdfast/core";
import { LogMetrics } from "./log-metrics.ts";
import type { MetricGroup, TopologyMetricGroup } from "./metric-group.ts";
import { PortMetrics } from "./port-metrics.ts";
import { ProviderMetrics } from "./provider-metrics.ts";
import { RemoteNodeMetrics } from "./remote-node-metrics.ts";
import { StateMetrics } from "./state-metrics.ts";

export interface MeasuredTopology {
  /** The value of the label `topology`. @defaultValue "default" */
  readonly topology?: TopologyName | undefined;
  readonly source: TopologySource;
  /** Called at each scrape. */
  readonly providerHealth: () => readonly ProviderHealthReport[];
  /** Called at each scrape. @defaultValue none, so that the counts by state are all 0 */
  readonly remoteNodes?: (() => Iterable<RemoteNodeReport>) | undefined;
  /** Called at each scrape. @defaultValue none */
  readonly ports?: (() => readonly PortReport[]) | undefined;
}

interface Parts {
  readonly log: LogMetrics;
  readonly state: StateMetrics;
  readonly providers: ProviderMetrics;
  readonly ports: PortMetrics;
  readonly remoteNodes: RemoteNodeMetrics;
}

function createParts(group: TopologyMetricGroup, health: () => readonly ProviderHealthReport[]): Parts {
  return {
    log: new LogMetrics(group, () => health().map(({ providerId }) => providerId)),
    state: new StateMetrics(group),
    providers: new ProviderMetrics(group),
    ports: new PortMetrics(group),
    remoteNodes: new RemoteNodeMetrics(group),
  };
}

/** Registers every metric, without any series, so that a conflict is found before the first topology is added. */
export function registerMetrics(group: MetricGroup): void {
  createParts(group.of(DEFAULT_TOPOLOGY), () => []);
}

/** The series of one topology. Events are counted from its creation, everything else is read at each scrape. */
export class TopologyMetrics implements Disposable {
  readonly #measured: MeasuredTopology;
  readonly #group: TopologyMetricGroup;
  readonly #parts: Parts;
  readonly #unsubscribe: Unsubscribe;
  #isDisposed = false;

  constructor(group: MetricGroup, topology: TopologyName, measured: MeasuredTopology) {
    this.#measured = measured;
    this.#group = group.of(topology);
    this.#parts = createParts(this.#group, () => measured.providerHealth());
    const { log } = this.#parts;
    this.#unsubscribe = measured.source.onEvent((event) => log.record(event));
  }

  /** Resolves with the number of remote nodes that have series: at most `maxNodeSeries`. */
  async collect(clock: Clock, maxNodeSeries: number): Promise<number> {
    if (this.#isDisposed) return 0;
    const { source, providerHealth, remoteNodes, ports } = this.#measured;
    const parts = this.#parts;
    parts.state.collect(source.state, clock);
    parts.providers.collect(providerHealth());
    parts.ports.collect(ports?.() ?? []);
    const shown = await parts.remoteNodes.collect(remoteNodes?.() ?? [], clock, maxNodeSeries);
    // It may have been disposed of during the collection, which then has added series again.
    if (this.#isDisposed) this.#group[Symbol.dispose]();
    return shown;
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#unsubscribe();
    this.#group[Symbol.dispose]();
  }
}
