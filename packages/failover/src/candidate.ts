import type { ProviderHealth, ProviderId, Reason, SwitchReason } from "@holdfast/core";

/** Why a provider is not healthy. A switch away from the provider has this as its reason. */
export type Fault = Extract<SwitchReason, "timeout" | "errors" | "stream_ended" | "health_degraded">;

/** The controller's record of one provider. Times are monotonic milliseconds. */
export interface Candidate {
  readonly id: ProviderId;
  priority: number;
  health: Exclude<ProviderHealth, "disabled">;
  /** Number of consecutive failures. */
  errors: number;
  fault: Fault | undefined;
  /** Its last failure; absent while it is healthy. */
  reason: Reason | undefined;
  /** It has delivered a snapshot since it was configured. */
  hasWorked: boolean;
  /** When it last confirmed that its content is current. */
  confirmedAt: number | undefined;
  /** Since when it has been healthy without interruption; absent while it is not healthy. */
  healthySince: number | undefined;
  /** Time of the last event on its watch, or of the start of the watch; absent while it is not watched. */
  lastActivityAt: number | undefined;
  /** Time of the last failure; -Infinity before the first. */
  failedAt: number;
  /** We switched away from it, and it cannot be chosen again until it has been healthy for one cooldown. */
  isExcluded: boolean;
}

export function createCandidate(id: ProviderId, priority: number): Candidate {
  return {
    id,
    priority,
    health: "idle",
    errors: 0,
    fault: undefined,
    reason: undefined,
    hasWorked: false,
    confirmedAt: undefined,
    healthySince: undefined,
    lastActivityAt: undefined,
    failedAt: Number.NEGATIVE_INFINITY,
    isExcluded: false,
  };
}

/** Whether the active provider stays active: it is healthy, starting up, or has failed fewer than `maxErrors` times in a row. */
export function canStayActive(candidate: Candidate): boolean {
  return (
    candidate.health === "healthy" ||
    candidate.health === "connecting" ||
    candidate.health === "idle" ||
    (candidate.health === "degraded" && candidate.fault === "errors")
  );
}

/** Whether it has delivered a snapshot on the current watch, on time or late. */
export function hasDelivered({ health, fault }: Candidate): boolean {
  return health === "healthy" || (health === "degraded" && fault === "health_degraded");
}
