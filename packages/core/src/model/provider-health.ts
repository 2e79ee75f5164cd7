import type { Reason } from "../errors/reason.ts";

/**
 * `idle`: not watched (a cold standby). `connecting`: watched, nothing heard yet. `healthy`: alive and current.
 * `degraded`: failing fewer than `maxErrors` times, late, or not vouching for its content. `unreachable`: given up until it shows life again. `disabled`: never
 * activated.
 */
export type ProviderHealth = "idle" | "connecting" | "healthy" | "degraded" | "unreachable" | "disabled";

/** Why the active provider was switched. */
export type SwitchReason =
  | "timeout"
  | "errors"
  | "stream_ended"
  | "health_degraded"
  | "recovered"
  | "manual_override"
  | "removed_by_reload";

/** The health of one provider, for monitoring. */
export interface ProviderHealthReport {
  readonly providerId: string;
  readonly health: ProviderHealth;
  readonly isActive: boolean;
  /** Failures in a row. */
  readonly errors: number;
  /** Wall-clock milliseconds of the last sign of life; absent before the first. */
  readonly lastUpdateAt?: number | undefined;
  /** Why it is not healthy: its last failure, or why it is disabled. Absent while it is healthy, idle or connecting. */
  readonly reason?: Reason | undefined;
}

/** `up`: a member with an open way. `down`: blocked. `degraded`: restored but not refreshed yet, or its Join is held back. */
export type RemoteNodeState = "up" | "down" | "degraded";

/** The health of one remote node, for monitoring. */
export interface RemoteNodeReport {
  readonly nodeId: string;
  readonly state: RemoteNodeState;
  /** Wall-clock milliseconds of the last event told to Remoting about it. */
  readonly lastUpdateAt: number;
}
