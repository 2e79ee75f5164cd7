import type { Clock } from "@holdfast/core";
import type { MeasuredTopology, MetricsRegistry, ProvisioningMetrics } from "@holdfast/metrics";

export interface SharedMetricsOptions {
  /** The prom-client `Registry`. */
  readonly registry: MetricsRegistry;
  readonly clock: Clock;
}

/** The metrics of several services in one registry. */
export class SharedMetrics implements Disposable {
  readonly #options: SharedMetricsOptions;
  #loading: Promise<void> | undefined;
  #metrics: ProvisioningMetrics | undefined;
  #isDisposed = false;

  constructor(options: SharedMetricsOptions) {
    this.#options = options;
  }

  /**
   * Imports `@holdfast/metrics`, and with it prom-client, at the first call. Rejects with `VALIDATION_DUPLICATE_ID` when the registry
   * already has one of the metrics.
   */
  load(): Promise<void> {
    return (this.#loading ??= this.#load());
  }

  /**
   * Adds the series of one service, until the returned object is disposed of. Call `load` first. Throws `VALIDATION_DUPLICATE_ID` when a
   * service with the same name has been added.
   */
  add(measured: MeasuredTopology): Disposable | undefined {
    return this.#metrics?.add(measured);
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#metrics?.[Symbol.dispose]();
    this.#metrics = undefined;
  }

  async #load(): Promise<void> {
    const { ProvisioningMetrics } = await import("@holdfast/metrics");
    if (!this.#isDisposed) this.#metrics = new ProvisioningMetrics(this.#options);
  }
}
