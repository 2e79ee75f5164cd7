import {
  DEFAULT_TOPOLOGY,
  ProvisioningError,
  SerialQueue,
  type Clock,
  type TopologyName,
} from "@holdfast/core";
import { EventLoopMetrics } from "./event-loop-metrics.ts";
import { MetricGroup } from "./metric-group.ts";
import type { MetricsRegistry } from "./metrics-registry.ts";
import { registerMetrics, TopologyMetrics, type MeasuredTopology } from "./topology-metrics.ts";

export interface ProvisioningMetricsOptions {
  /** The prom-client registry. Each `ProvisioningMetrics` needs a separate one. */
  readonly registry: MetricsRegistry;
  readonly clock: Clock;
  /** Maximum number of remote nodes of all topologies, of those that are not up, that have a series. @defaultValue 200 */
  readonly maxNodeSeries?: number | undefined;
}

/** How many topologies are read before the event loop gets a turn. */
const TOPOLOGIES_IN_SLICE = 20;

/**
 * Prometheus metrics of one process, with the series of any number of topologies. Throws `VALIDATION_DUPLICATE_ID` when the registry
 * already has a metric with the same name, and then does not change the registry. Disposal stops listening and measuring and removes the
 * metrics from the registry.
 */
export class ProvisioningMetrics implements Disposable {
  readonly #options: ProvisioningMetricsOptions;
  readonly #group: MetricGroup;
  readonly #eventLoop: EventLoopMetrics;
  readonly #topologies = new Map<TopologyName, TopologyMetrics>();
  /** prom-client writes the text of one metric after the other without a pause, so each one waits for its turn. */
  readonly #turns = new SerialQueue();
  #collection: Promise<void> | undefined;

  constructor(options: ProvisioningMetricsOptions) {
    this.#options = options;
    this.#group = new MetricGroup(options.registry, async () => {
      await this.#collectOnce();
      await this.#turns.run(() => options.clock.yield());
    });
    try {
      registerMetrics(this.#group);
      this.#eventLoop = new EventLoopMetrics(this.#group);
    } catch (error) {
      this.#group[Symbol.dispose]();
      throw error;
    }
  }

  /** Adds the series of one topology, until the returned object is disposed of. Throws `VALIDATION_DUPLICATE_ID` when the name is taken. */
  add(measured: MeasuredTopology): Disposable {
    const { topology = DEFAULT_TOPOLOGY } = measured;
    if (this.#topologies.has(topology)) {
      const message = `the topology "${topology}" is already measured`;
      throw new ProvisioningError("VALIDATION_DUPLICATE_ID", message, { details: { topology } });
    }
    const metrics = new TopologyMetrics(this.#group, topology, measured);
    this.#topologies.set(topology, metrics);
    return {
      [Symbol.dispose]: () => {
        metrics[Symbol.dispose]();
        if (this.#topologies.get(topology) === metrics) this.#topologies.delete(topology);
      },
    };
  }

  [Symbol.dispose](): void {
    for (const metrics of this.#topologies.values()) metrics[Symbol.dispose]();
    this.#topologies.clear();
    this.#eventLoop[Symbol.dispose]();
    this.#group[Symbol.dispose]();
  }

  /** Runs one collection for all metrics of a scrape, and for overlapping scrapes. */
  #collectOnce(): Promise<void> {
    return (this.#collection ??= this.#collect().finally(() => (this.#collection = undefined)));
  }

  async #collect(): Promise<void> {
    const { clock, maxNodeSeries = 200 } = this.#options;
    this.#eventLoop.collect();
    let nodeSeries = maxNodeSeries;
    let collected = 0;
    for (const metrics of this.#topologies.values()) {
      nodeSeries -= await metrics.collect(clock, nodeSeries);
      if (++collected % TOPOLOGIES_IN_SLICE === 0) await clock.yield();
    }
  }
}
