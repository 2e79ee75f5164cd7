export {
  ProvisioningService,
  type PreparedStart,
  type StartOptions,
  type StopOptions,
  type StopReport,
} from "./provisioning-service.ts";
export type {
  CallOptions,
  LastKnownGoodOptions,
  ProvisioningServiceOptions,
  ServicePorts,
  ValidationOptions,
} from "./service-options.ts";
export { SharedMetrics, type SharedMetricsOptions } from "./shared-metrics.ts";
export type { ServiceWarning } from "./service-warning.ts";
export {
  ProviderValidator,
  toValidationError,
  TransientProviderStore,
  type DescriptorProblem,
  type PreparedChange,
} from "@holdfast/registry";
export type { NodeExplanation } from "@holdfast/hub";
export {
  DEFAULT_HEALTH_POLICY,
  DEFAULT_MASS_REMOVAL,
  heartbeatMsOf,
  toHealthPolicy,
  type GuardOptions,
  type HealthOptions,
  type HealthPolicy,
  type MassRemovalOptions,
} from "@holdfast/failover";
