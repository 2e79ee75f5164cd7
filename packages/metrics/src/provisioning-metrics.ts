import type {
  Clock,
  PortReport,
  ProviderHealthReport,
  RemoteNodeReport,
  TopologySource,
  Unsubscribe,
} from "@holdfast/core";
import { EventLoopMetrics } from "./event-loop-metrics.ts";
import { LogMetrics } from "./log-metrics.ts";
import { MetricGroup } from "./metric-group.ts";
import type { MetricsRegistry } from "./metrics-registry.ts";
import { PortMetrics } from "./port-metrics.ts";
import { ProviderMetrics } from "./provider-metrics.ts";
import { RemoteNodeMetrics } from "./remote-node-metrics.ts";
import { StateMetrics } from "./state-metrics.ts";

export interface ProvisioningMetricsOptions {
  /** The prom-client registry. Each `ProvisioningMetrics` needs a separate one. */
  readonly registry: MetricsRegistry;
  readonly source: TopologySource;
  readonly clock: Clock;
  readonly providerHealth: () => readonly ProviderHealthReport[];
  /** Called at each scrape. @defaultValue none, so that the counts by state are all 0 */
  readonly remoteNodes?: (() => Iterable<RemoteNodeReport>) | undefined;
  /** Called at each scrape. @defaultValue none */
  readonly ports?: (() => readonly PortReport[]) | undefined;
  /** Maximum number of remote nodes, of those that are not up, that have a series. @defaultValue 200 */
  readonly maxNodeSeries?: number | undefined;
}

/**
 * Prometheus metrics of one service. Events are counted from its creation, everything else is read at each scrape.
 * Throws `VALIDATION_DUPLICATE_ID` when the registry already has a metric with the same name, and then does not change
 * the registry. Disposal stops listening and measuring and removes the metrics from the registry.
 */
export class ProvisioningMetrics implements Disposable {
  readonly #options: ProvisioningMetricsOptions;
  readonly #group: MetricGroup;
  readonly #state: StateMetrics;
  readonly #providers: ProviderMetrics;
  readonly #ports: PortMetrics;
  readonly #remoteNodes: RemoteNodeMetrics;
  readonly #eventLoop: EventLoopMetrics;
  readonly #unsubscribe: Unsubscribe;
  #collection: Promise<void> | undefined;

  constructor(options: ProvisioningMetricsOptions) {
    const { registry, source, maxNodeSeries = 200 } = options;
    this.#options = options;
    const group = new MetricGroup(registry, () => this.#collectOnce());
    this.#group = group;
    try {
      const log = new LogMetrics(group, () => options.providerHealth().map(({ providerId }) => providerId));
      this.#state = new StateMetrics(group);
      this.#providers = new ProviderMetrics(group);
      this.#ports = new PortMetrics(group);
      this.#remoteNodes = new RemoteNodeMetrics(group, maxNodeSeries);
      this.#eventLoop = new EventLoopMetrics(group);
      this.#unsubscribe = source.onEvent((event) => log.record(event));
    } catch (error) {
      group[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#unsubscribe();
    this.#eventLoop[Symbol.dispose]();
    this.#group[Symbol.dispose]();
  }

  /** Runs one collection for all gauges of a scrape, and for overlapping scrapes. */
  #collectOnce(): Promise<void> {
    return (this.#collection ??= this.#collect().finally(() => (this.#collection = undefined)));
  }

  async #collect(): Promise<void> {
    const { source, clock, providerHealth, remoteNodes, ports } = this.#options;
    this.#state.collect(source.state, clock);
    this.#providers.collect(providerHealth());
    this.#ports.collect(ports?.() ?? []);
    this.#eventLoop.collect();
    await this.#remoteNodes.collect(remoteNodes?.() ?? [], clock);
  }
}
