export { ProvisioningMetrics, type ProvisioningMetricsOptions } from "./provisioning-metrics.ts";
