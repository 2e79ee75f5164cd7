import type { Availability, HealthChange, ProviderId, ProviderSwitch, Reason } from "@holdfast/core";

export interface ProviderFailure {
  readonly reason: Reason;
  /** Retrying may help. When not, a provider that never worked is unreachable at once. */
  readonly retryable: boolean;
}

export interface ConfiguredProvider {
  readonly id: ProviderId;
  readonly priority: number;
  /** It replaces another provider with this id, whose record does not apply to it. @defaultValue false */
  readonly isReplaced?: boolean | undefined;
}

/** What is to be done after an input. */
export interface Decision {
  /** The provider whose content is shown; at the start the one that is waited for. Absent when there is no provider. */
  readonly active: ProviderId | undefined;
  readonly switched: ProviderSwitch | undefined;
  readonly healthChanges: readonly HealthChange[];
  readonly availability: Availability;
  /** For people; never empty. */
  readonly reason: string;
  /** The failure behind the availability, where there is one. */
  readonly cause: Reason | undefined;
  /** Which providers are to be watched; the others are to be left alone. */
  readonly watched: ReadonlySet<ProviderId>;
  /** When to call `tick`, monotonic milliseconds; absent when only an input can change anything. */
  readonly wakeAt: number | undefined;
}
