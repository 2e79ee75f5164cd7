import type { Availability, HealthChange, ProviderId, ProviderSwitch, Reason } from "@holdfast/core";

export interface ProviderFailure {
  readonly reason: Reason;
  /** `false`: retrying cannot help. A provider that has never worked is then unreachable at once. */
  readonly retryable: boolean;
}

export interface ConfiguredProvider {
  readonly id: ProviderId;
  readonly priority: number;
  /** It replaces another provider that had this id. The record of that provider is discarded. @defaultValue false */
  readonly isReplaced?: boolean | undefined;
}

/** What the session has to do after an input. */
export interface Decision {
  /** The active provider. At the start, the provider whose first snapshot is awaited. Absent when no provider is configured. */
  readonly active: ProviderId | undefined;
  readonly switched: ProviderSwitch | undefined;
  readonly healthChanges: readonly HealthChange[];
  readonly availability: Availability;
  /** Text for people; never empty. */
  readonly reason: string;
  /** The failure that caused the availability; absent without one. */
  readonly cause: Reason | undefined;
  /** The providers to watch. Watches on all others are stopped. */
  readonly watched: ReadonlySet<ProviderId>;
  /** When to call `tick`, in monotonic milliseconds; absent when only another input can change the decision. */
  readonly wakeAt: number | undefined;
}
