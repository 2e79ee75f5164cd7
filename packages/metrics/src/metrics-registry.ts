/**
 * A `Registry` of prom-client, for either text format. Declared here, so that the types of a program without metrics do not need
 * prom-client.
 */
export interface MetricsRegistry {
  registerMetric(metric: never): void;
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
}
