import type { BackoffOptions, Clock, ProvisioningError, Random, TopologySource } from "@holdfast/core";
import type { PortPolicyOptions } from "./port-policy.ts";

/** What every bridge needs besides its ports. */
export interface BridgeOptions {
  /** Most often a `WatchHub`. */
  readonly source: TopologySource;
  readonly clock: Clock;
  readonly random: Random;
  /** Between two tries of a failing call, with full jitter. @defaultValue `{ initialMs: 100, maxMs: 30000, factor: 2 }` */
  readonly backoff?: Omit<BackoffOptions, "random"> | undefined;
  /** Deadlines and tries of the calls. */
  readonly calls?: PortPolicyOptions | undefined;
  /**
   * `LIFECYCLE_CONSUMER_FAILED` and `LIFECYCLE_CONSUMER_TIMEOUT` for every failed try (details: port, call, seqNo, attempt),
   * `LIFECYCLE_CONSUMER_BEHIND` for a call in progress for long and for a port that is no longer waited for,
   * `LIFECYCLE_NOTICE_PARKED` for a notice that was given up, `ORDER_STALE_SEQUENCE` for an event that is not newer, and
   * `LIFECYCLE_SHUTTING_DOWN` for a snapshot refused while draining. What it throws is ignored.
   */
  readonly onError?: ((error: ProvisioningError) => unknown) | undefined;
}

export interface DrainOptions {
  /** The deadline. */
  readonly signal: AbortSignal;
}

export interface DrainReport {
  /** What was pending when the deadline came, for people; empty when everything was delivered. */
  readonly unfinished: readonly string[];
}
