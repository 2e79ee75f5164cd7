/**
 * `up`: joined and not blocked. `down`: blocked. `degraded`: restored but not refreshed yet, or its Join is held back.
 */
export type RemoteNodeState = "up" | "down" | "degraded";

/** The health of one remote node, for monitoring. */
export interface RemoteNodeReport {
  readonly nodeId: string;
  readonly state: RemoteNodeState;
  /** Wall-clock milliseconds of the last event about the node that was sent to Remoting. */
  readonly lastUpdateAt: number;
}
