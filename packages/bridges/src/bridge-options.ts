import type { BackoffOptions, Clock, ProvisioningError, Random, TopologySource } from "@holdfast/core";
import type { PortPolicyOptions } from "./port-policy.ts";

/** Options of every bridge, in addition to its ports. */
export interface BridgeOptions {
  /** The log, usually a `WatchHub`. */
  readonly source: TopologySource;
  readonly clock: Clock;
  readonly random: Random;
  /**
   * Pause between two tries of a failing call, with full jitter. @defaultValue `{ initialMs: 100, maxMs: 30000, factor:
   * 2 }`
   */
  readonly backoff?: Omit<BackoffOptions, "random"> | undefined;
  /** Deadlines and numbers of tries of the calls. */
  readonly calls?: PortPolicyOptions | undefined;
  /**
   * Receives `LIFECYCLE_CONSUMER_FAILED` or `LIFECYCLE_CONSUMER_TIMEOUT` for every failed try (details: port, call,
   * seqNo, attempt), `LIFECYCLE_CONSUMER_BEHIND` for a call that has been in progress for long and for a port that the
   * others no longer wait for, `LIFECYCLE_NOTICE_PARKED` for a parked notice, `ORDER_STALE_SEQUENCE` for an event that
   * is not newer, and `LIFECYCLE_SHUTTING_DOWN` for a snapshot refused while draining. Errors that it throws are
   * ignored.
   */
  readonly onError?: ((error: ProvisioningError) => unknown) | undefined;
}

export interface DrainOptions {
  /** Aborts at the deadline of the drain. */
  readonly signal: AbortSignal;
}

export interface DrainReport {
  /** Descriptions of what was pending at the deadline; empty when everything was delivered. */
  readonly unfinished: readonly string[];
}
