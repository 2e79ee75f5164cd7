export { FailoverProvider, type FailoverProviderOptions } from "./failover-provider.ts";
export {
  DEFAULT_HEALTH_POLICY,
  heartbeatMsOf,
  toHealthPolicy,
  type HealthOptions,
  type HealthPolicy,
} from "./health-policy.ts";

// For those who build or check a fail-over of their own.
export {
  FailoverController,
  type Decision,
  type HealthChange,
  type ProviderFailure,
  type Switch,
} from "./failover-controller.ts";
export type { Ailment, Candidate } from "./candidate.ts";
