import type { ProviderId } from "@holdfast/core";

/** Number of removed providers that keep their series: enough for a graph to show what a reload replaced. */
const MAX_REMOVED = 20;

type Labels = Readonly<Record<string, string>>;

/** The part of a metric that is used here. */
interface Removable {
  remove(labels: Record<string, string>): void;
}

/**
 * Removes the series of providers that are no longer configured, except for the last few, so that reloads do not
 * accumulate series.
 */
export class ProviderSeries {
  readonly #configured: () => Iterable<ProviderId>;
  /**
   * Providers, least recently used first. For each one, functions that remove the series that name it, keyed by their
   * labels.
   */
  readonly #series = new Map<ProviderId, Map<string, () => void>>();

  constructor(configured: () => Iterable<ProviderId>) {
    this.#configured = configured;
  }

  /** Records that the metrics have series with these labels, which name the providers. */
  touch(providers: readonly ProviderId[], labels: Labels, metrics: readonly Removable[]): void {
    const isNew = providers.some((provider) => !this.#series.has(provider));
    for (const provider of new Set(providers)) {
      const known = this.#series.get(provider) ?? new Map<string, () => void>();
      this.#series.delete(provider);
      this.#series.set(provider, known);
      const key = JSON.stringify(labels);
      if (!known.has(key)) {
        known.set(key, () => {
          for (const metric of metrics) metric.remove({ ...labels });
        });
      }
    }
    if (isNew && this.#series.size > MAX_REMOVED) this.#prune(providers);
  }

  #prune(current: readonly ProviderId[]): void {
    const kept = new Set([...this.#configured(), ...current]);
    const removed = [...this.#series.keys()].filter((provider) => !kept.has(provider));
    for (const provider of removed.slice(0, Math.max(removed.length - MAX_REMOVED, 0))) {
      for (const [key, remove] of this.#series.get(provider) ?? []) {
        remove();
        for (const others of this.#series.values()) others.delete(key);
      }
      this.#series.delete(provider);
    }
  }
}
