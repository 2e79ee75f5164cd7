import type { ProviderHealth, ProviderId, Reason, SwitchReason } from "@holdfast/core";

/** What is wrong with a provider; becomes the reason of a switch away from it. */
export type Ailment = Extract<SwitchReason, "timeout" | "errors" | "stream_ended" | "health_degraded">;

/** The controller's record of one provider. Times are monotonic milliseconds. */
export interface Candidate {
  readonly id: ProviderId;
  priority: number;
  health: Exclude<ProviderHealth, "disabled">;
  /** Failures in a row. */
  errors: number;
  ailment: Ailment | undefined;
  /** Its last failure, while it is not healthy. */
  reason: Reason | undefined;
  /** It has delivered a snapshot since it was configured. */
  hasWorked: boolean;
  /** When it last confirmed that its content is current. */
  vouchedAt: number | undefined;
  /** When its unbroken health began; absent while it is not healthy. */
  healthySince: number | undefined;
  /** The last sign of life, or when its watch began; absent while it is not watched. */
  heardAt: number | undefined;
  failedAt: number;
  /** We switched away from it: it cannot be chosen again until it has been healthy for a whole cooldown. */
  isBarred: boolean;
}

export function createCandidate(id: ProviderId, priority: number): Candidate {
  return {
    id,
    priority,
    health: "idle",
    errors: 0,
    ailment: undefined,
    reason: undefined,
    hasWorked: false,
    vouchedAt: undefined,
    healthySince: undefined,
    heardAt: undefined,
    failedAt: Number.NEGATIVE_INFINITY,
    isBarred: false,
  };
}

/** Stays active: healthy, still starting up, or failing fewer than `maxErrors` times. */
export function isHeld(candidate: Candidate): boolean {
  return (
    candidate.health === "healthy" ||
    candidate.health === "connecting" ||
    candidate.health === "idle" ||
    (candidate.health === "degraded" && candidate.ailment === "errors")
  );
}

/** Has delivered a snapshot on this connection, on time or late. */
export function hasDelivered({ health, ailment }: Candidate): boolean {
  return health === "healthy" || (health === "degraded" && ailment === "health_degraded");
}
