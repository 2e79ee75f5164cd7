import type { NodeId } from "@holdfast/core";

/**
 * - `success`: the endpoint answered. An answer that the caller does not like is a success too: it shows that the endpoint
 *   works.
 * - `failure`: the endpoint failed: no connection, a reset, a timeout, an answer such as 503.
 * - `cancelled`: the call says nothing about the endpoint, for example because the caller gave up.
 */
export type CallOutcome = "success" | "failure" | "cancelled";

/** The outcome of one call that was not made through a picker. */
export interface CallReport {
  readonly nodeId: NodeId;
  readonly outcome: CallOutcome;
  /** How long the call took, in milliseconds. */
  readonly latencyMs?: number | undefined;
}
