import type { TopologyName } from "@holdfast/core";

/** The part of a metric of prom-client that has series which can be removed. */
interface Removable {
  remove(labels: Record<string, string>): void;
}

interface Settable extends Removable {
  set(labels: Record<string, string>, value: number): void;
}

interface Countable extends Removable {
  inc(labels: Record<string, string>): void;
}

interface Observable extends Removable {
  observe(labels: Record<string, string>, value: number): void;
}

/** The series of one topology in a metric that all topologies share. The label `topology` is added to every series. */
export abstract class TopologySeries<L extends string = never> implements Disposable {
  readonly #metric: Removable;
  readonly #topology: TopologyName;
  /** The labels of every series of this topology, keyed by their values. */
  readonly #labels = new Map<string, Record<string, string>>();

  constructor(metric: Removable, topology: TopologyName) {
    this.#metric = metric;
    this.#topology = topology;
  }

  remove(labels: Record<L, string>): void {
    const key = toKey(labels);
    const known = this.#labels.get(key);
    if (known === undefined) return;
    this.#labels.delete(key);
    this.#metric.remove(known);
  }

  /** Removes every series of this topology. */
  reset(): void {
    for (const labels of this.#labels.values()) this.#metric.remove(labels);
    this.#labels.clear();
  }

  [Symbol.dispose](): void {
    this.reset();
  }

  /** The labels of a series. One object for each series, which prom-client keeps too. */
  protected labelsOf(labels: Record<L, string>): Record<string, string> {
    const key = toKey(labels);
    let known = this.#labels.get(key);
    if (known === undefined) {
      known = { topology: this.#topology, ...labels };
      this.#labels.set(key, known);
    }
    return known;
  }
}

export class GaugeSeries<L extends string = never> extends TopologySeries<L> {
  readonly #gauge: Settable;

  constructor(gauge: Settable, topology: TopologyName) {
    super(gauge, topology);
    this.#gauge = gauge;
  }

  set(labels: Record<L, string>, value: number): void {
    this.#gauge.set(this.labelsOf(labels), value);
  }
}

export class CounterSeries<L extends string> extends TopologySeries<L> {
  readonly #counter: Countable;

  constructor(counter: Countable, topology: TopologyName) {
    super(counter, topology);
    this.#counter = counter;
  }

  inc(labels: Record<L, string>): void {
    this.#counter.inc(this.labelsOf(labels));
  }
}

export class HistogramSeries<L extends string> extends TopologySeries<L> {
  readonly #histogram: Observable;

  constructor(histogram: Observable, topology: TopologyName) {
    super(histogram, topology);
    this.#histogram = histogram;
  }

  observe(labels: Record<L, string>, value: number): void {
    this.#histogram.observe(this.labelsOf(labels), value);
  }
}

function toKey(labels: Readonly<Record<string, string>>): string {
  return JSON.stringify(Object.values(labels));
}
