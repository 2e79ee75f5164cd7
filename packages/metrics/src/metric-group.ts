import { ProvisioningError, type TopologyName } from "@holdfast/core";
import { Counter, Gauge, Histogram, type Metric, type Registry } from "prom-client";
import type { MetricsRegistry } from "./metrics-registry.ts";
import { CounterSeries, GaugeSeries, HistogramSeries, type TopologySeries } from "./topology-series.ts";

interface Definition<L extends string> {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

interface HistogramDefinition<L extends string> extends Definition<L> {
  readonly buckets: readonly number[];
}

interface MetricConfig {
  readonly name: string;
  readonly help: string;
  readonly labelNames: string[];
  readonly registers: Registry[];
}

const PREFIX = "holdfast_";

/** The metrics of one owner in a registry: created with one prefix, collected together, and removed together. */
export class MetricGroup implements Disposable {
  readonly #registry: Registry;
  readonly #collect: () => Promise<void>;
  // Keyed by the name at registration, because an OpenMetrics registry renames counters when it prints them.
  readonly #metrics = new Map<string, Metric>();

  /** `collect` is called by every metric of a scrape, before it is read. */
  constructor(registry: MetricsRegistry, collect: () => Promise<void>) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- MetricsRegistry is the same class with fewer members
    this.#registry = registry as Registry;
    this.#collect = collect;
  }

  /** A gauge of the whole process, which is set at each scrape. */
  collected(definition: Definition<never>): Gauge {
    const collect = this.#collect;
    return this.metric(definition, [], (config) => new Gauge({ ...config, collect }));
  }

  /** The series of one topology. The topologies share each metric, which is created for the first one. */
  of(topology: TopologyName): TopologyMetricGroup {
    return new TopologyMetricGroup(this, topology, this.#collect);
  }

  [Symbol.dispose](): void {
    for (const [name, metric] of this.#metrics) {
      // After a `clear` or a second disposal another owner's metric may have the name.
      if (this.#registry.getSingleMetric(name) === metric) this.#registry.removeSingleMetric(name);
    }
    this.#metrics.clear();
  }

  /** Returns the metric of this group with the name, or creates it. */
  metric<M extends Metric>(
    { name: suffix, help, labels = [] }: Definition<string>,
    commonLabels: readonly string[],
    create: (config: MetricConfig) => M,
  ): M {
    const name = PREFIX + suffix;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a name belongs to one definition, so to one type
    const known = this.#metrics.get(name) as M | undefined;
    if (known !== undefined) return known;
    if (this.#registry.getSingleMetric(name) !== undefined) {
      throw new ProvisioningError(
        "VALIDATION_DUPLICATE_ID",
        `the registry already has a metric "${name}": each ProvisioningMetrics needs a separate registry`,
        { details: { metric: name } },
      );
    }
    const metric = create({
      name,
      help,
      labelNames: [...commonLabels, ...labels],
      registers: [this.#registry],
    });
    this.#metrics.set(name, metric);
    return metric;
  }
}

const LABELS = ["topology"];

/** The metrics of one topology: their series have the label `topology`, and are removed together. */
export class TopologyMetricGroup implements Disposable {
  readonly #group: MetricGroup;
  readonly #topology: TopologyName;
  readonly #collect: () => Promise<void>;
  readonly #series: TopologySeries<string>[] = [];

  constructor(group: MetricGroup, topology: TopologyName, collect: () => Promise<void>) {
    this.#group = group;
    this.#topology = topology;
    this.#collect = collect;
  }

  counter<L extends string>(definition: Definition<L>): CounterSeries<L> {
    const metric = this.#group.metric(definition, LABELS, (config) => new Counter(config));
    return this.#add(new CounterSeries<L>(metric, this.#topology));
  }

  /** A gauge that is set on events. */
  gauge<L extends string = never>(definition: Definition<L>): GaugeSeries<L> {
    const metric = this.#group.metric(definition, LABELS, (config) => new Gauge(config));
    return this.#add(new GaugeSeries<L>(metric, this.#topology));
  }

  /** A gauge that is set at each scrape. */
  collected<L extends string = never>(definition: Definition<L>): GaugeSeries<L> {
    const collect = this.#collect;
    const metric = this.#group.metric(definition, LABELS, (config) => new Gauge({ ...config, collect }));
    return this.#add(new GaugeSeries<L>(metric, this.#topology));
  }

  histogram<L extends string>(definition: HistogramDefinition<L>): HistogramSeries<L> {
    const buckets = [...definition.buckets];
    const metric = this.#group.metric(definition, LABELS, (config) => new Histogram({ ...config, buckets }));
    return this.#add(new HistogramSeries<L>(metric, this.#topology));
  }

  [Symbol.dispose](): void {
    for (const series of this.#series) series.reset();
  }

  #add<S extends TopologySeries<string>>(series: S): S {
    this.#series.push(series);
    return series;
  }
}
