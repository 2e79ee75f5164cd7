import type { Clock } from "@holdfast/core";
import type { MeasuredTopology, MetricsRegistry, ProvisioningMetrics } from "@holdfast/metrics";

export interface SharedMetricsOptions {
  /** The prom-client `Registry`. */
  readonly registry: MetricsRegistry;
  readonly clock: Clock;
}

/** The metrics of several services in one registry. Imports `@holdfast/metrics`, and with it prom-client, for the first service. */
export class SharedMetrics implements Disposable {
  readonly #options: SharedMetricsOptions;
  #metrics: Promise<ProvisioningMetrics> | undefined;
  #isDisposed = false;

  constructor(options: SharedMetricsOptions) {
    this.#options = options;
  }

  /**
   * Adds the series of one service, until the returned object is disposed of. Rejects with `VALIDATION_DUPLICATE_ID` when the registry
   * already has one of the metrics, or when a service with the same name has been added.
   */
  async add(measured: MeasuredTopology): Promise<Disposable> {
    this.#metrics ??= this.#create();
    const metrics = await this.#metrics;
    return this.#isDisposed ? { [Symbol.dispose]: () => undefined } : metrics.add(measured);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    void this.#metrics?.then(
      (metrics) => metrics[Symbol.dispose](),
      () => undefined,
    );
  }

  async #create(): Promise<ProvisioningMetrics> {
    const { ProvisioningMetrics } = await import("@holdfast/metrics");
    return new ProvisioningMetrics(this.#options);
  }
}
