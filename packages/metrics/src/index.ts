export type { MetricsRegistry } from "./metrics-registry.ts";
export { ProvisioningMetrics, type ProvisioningMetricsOptions } from "./provisioning-metrics.ts";
export type { MeasuredTopology } from "./topology-metrics.ts";
