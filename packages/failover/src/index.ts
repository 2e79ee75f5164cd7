export { Failover, type FailoverOptions } from "./failover.ts";
export type { RestoreOptions } from "./restored-snapshot.ts";
export {
  DEFAULT_MASS_REMOVAL,
  type GuardOptions,
  type GuardPolicy,
  type MassRemovalOptions,
  type MassRemovalPolicy,
} from "./guard-policy.ts";
export {
  DEFAULT_HEALTH_POLICY,
  heartbeatMsOf,
  toHealthPolicy,
  type HealthOptions,
  type HealthPolicy,
} from "./health-policy.ts";

// For programs that use the decision rules without `Failover`.
export { FailoverController } from "./failover-controller.ts";
export type { ConfiguredProvider, Decision, ProviderFailure } from "./decision.ts";
export type { Fault, Candidate } from "./candidate.ts";
