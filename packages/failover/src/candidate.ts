import type { ErrorCode, ProviderHealth, ProviderId, SwitchReason } from "@holdfast/core";

/** What makes a provider less than healthy, in the words of the reason a switch away from it is given. */
export type Ailment = Extract<SwitchReason, "timeout" | "errors" | "stream_ended" | "health_degraded">;

/** What the controller knows of one provider. Times are monotonic milliseconds. */
export interface Candidate {
  readonly id: ProviderId;
  priority: number;
  health: Exclude<ProviderHealth, "disabled">;
  /** Failures in a row. */
  errors: number;
  ailment: Ailment | undefined;
  code: ErrorCode | undefined;
  /** Since when it has been healthy without a break; absent while it is not. */
  healthySince: number | undefined;
  /** The last sign of life, or when its watch began; absent while it is not watched. */
  heardAt: number | undefined;
  failedAt: number;
  /** It was left, and must be healthy for a whole cooldown before it is chosen again. */
  isBarred: boolean;
}

export function createCandidate(id: ProviderId, priority: number): Candidate {
  return {
    id,
    priority,
    health: "idle",
    errors: 0,
    ailment: undefined,
    code: undefined,
    healthySince: undefined,
    heardAt: undefined,
    failedAt: Number.NEGATIVE_INFINITY,
    isBarred: false,
  };
}

/** It goes on serving: healthy, waited for at the start, or failing but not given up yet. */
export function isHeld(candidate: Candidate): boolean {
  return (
    candidate.health === "healthy" ||
    candidate.health === "connecting" ||
    candidate.health === "idle" ||
    (candidate.health === "degraded" && candidate.ailment === "errors")
  );
}

/** What it said last is as much as is known: in time, or late. */
export function hasDelivered({ health, ailment }: Candidate): boolean {
  return health === "healthy" || (health === "degraded" && ailment === "health_degraded");
}
