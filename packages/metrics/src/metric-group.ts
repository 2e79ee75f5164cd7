import { ProvisioningError } from "@holdfast/core";
import { Counter, Gauge, Histogram, type Metric, type Registry } from "prom-client";
import type { MetricsRegistry } from "./metrics-registry.ts";

interface Definition<L extends string> {
  /** Without the prefix. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly L[];
}

interface HistogramDefinition<L extends string> extends Definition<L> {
  readonly buckets: readonly number[];
}

const PREFIX = "holdfast_";

/** The metrics of one owner in a registry: created with one prefix, collected together, and removed together. */
export class MetricGroup implements Disposable {
  readonly #registry: Registry;
  readonly #collect: () => Promise<void>;
  // Keyed by the name at registration, because an OpenMetrics registry renames counters when it prints them.
  readonly #metrics = new Map<string, Metric>();

  /** `collect` is called by every gauge of a scrape, before it is read. */
  constructor(registry: MetricsRegistry, collect: () => Promise<void>) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- MetricsRegistry is the same class with fewer members
    this.#registry = registry as Registry;
    this.#collect = collect;
  }

  counter<L extends string>(definition: Definition<L>): Counter<L> {
    return this.#add(definition, (config) => new Counter(config));
  }

  /** A gauge that is set on events. */
  gauge<L extends string = never>(definition: Definition<L>): Gauge<L> {
    return this.#add(definition, (config) => new Gauge(config));
  }

  /** A gauge that is set at each scrape. */
  collected<L extends string = never>(definition: Definition<L>): Gauge<L> {
    return this.#add(definition, (config) => new Gauge({ ...config, collect: this.#collect }));
  }

  histogram<L extends string>(definition: HistogramDefinition<L>): Histogram<L> {
    const buckets = [...definition.buckets];
    return this.#add(definition, (config) => new Histogram({ ...config, buckets }));
  }

  [Symbol.dispose](): void {
    for (const [name, metric] of this.#metrics) {
      // After a `clear` or a second disposal another owner's metric may have the name.
      if (this.#registry.getSingleMetric(name) === metric) this.#registry.removeSingleMetric(name);
    }
  }

  #add<L extends string, M extends Metric<L>>(
    { name: suffix, help, labels = [] }: Definition<L>,
    create: (config: { name: string; help: string; labelNames: L[]; registers: Registry[] }) => M,
  ): M {
    const name = PREFIX + suffix;
    if (this.#registry.getSingleMetric(name) !== undefined) {
      throw new ProvisioningError(
        "VALIDATION_DUPLICATE_ID",
        `the registry already has a metric "${name}": each ProvisioningMetrics needs a separate registry`,
        { details: { metric: name } },
      );
    }
    const metric = create({ name, help, labelNames: [...labels], registers: [this.#registry] });
    this.#metrics.set(name, metric);
    return metric;
  }
}

/** Sets one series for each possible state: 1 for the current one, 0 for the others. */
export function setOneHot<L extends string, S extends string>(
  gauge: Gauge<L>,
  states: readonly S[],
  current: S,
  labelsOf: (state: S) => Record<L, string>,
): void {
  for (const state of states) gauge.set(labelsOf(state), state === current ? 1 : 0);
}
