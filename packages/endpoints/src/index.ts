// The endpoints of a topology.
export { createEndpoints } from "./create-endpoints.ts";
export type { Endpoint, EndpointStanding } from "./endpoint.ts";
export type { Endpoints } from "./endpoints.ts";
export type { EndpointsOptions, SubsetOptions, ZoneOptions } from "./endpoints-options.ts";
export type { EndpointCounts, EndpointsState } from "./endpoints-state.ts";
export type { EndpointExplanation, EndpointRule } from "./explain-endpoint.ts";
export type { SlowStartOptions } from "./selection/slow-start.ts";
export {
  STATUS_EFFECTS,
  type ConnectionEffect,
  type NewCallEffect,
  type StatusEffect,
  type StatusEffectOverrides,
  type StatusEffects,
} from "./selection/status-effects.ts";

// Calls.
export type { CallOutcome, CallReport } from "./call-report.ts";
export type { EjectionOptions, FailureShareOptions, LatencyOptions } from "./ejection/ejection-options.ts";
export type { PickedCall, Picker } from "./picking/picker.ts";

// Strategies of pickers.
export { byKey, type ByKeyOptions } from "./picking/by-key.ts";
export { leastInFlight } from "./picking/least-in-flight.ts";
export { roundRobin } from "./picking/round-robin.ts";
export type {
  PickContext,
  PickRequest,
  PickStrategy,
  PickStrategyFactory,
  Target,
} from "./picking/target.ts";
