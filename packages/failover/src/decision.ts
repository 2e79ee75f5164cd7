import type { Availability, ErrorCode, ProviderHealth, ProviderId, SwitchReason } from "@holdfast/core";

export interface ProviderFailure {
  readonly code: ErrorCode;
  /** Retrying may mend it. When not, the provider is unreachable at once. */
  readonly retryable: boolean;
}

export interface ConfiguredProvider {
  readonly id: ProviderId;
  readonly priority: number;
  /** It took the place of another one of its name, of which nothing holds any more. @defaultValue false */
  readonly isReplaced?: boolean | undefined;
}

export interface HealthChange {
  readonly providerId: ProviderId;
  readonly from: ProviderHealth;
  readonly to: ProviderHealth;
  readonly reason?: ErrorCode | undefined;
}

export interface Switch {
  readonly from: ProviderId;
  readonly to: ProviderId;
  readonly reason: SwitchReason;
}

/** What is to be done after an input. */
export interface Decision {
  /** The provider believed now; at the start the one waited for. Absent when there is none. */
  readonly active: ProviderId | undefined;
  readonly switched: Switch | undefined;
  readonly healthChanges: readonly HealthChange[];
  readonly availability: Availability;
  /** For people; never empty. */
  readonly reason: string;
  /** Which providers are to be watched; the others are to be left alone. */
  readonly watched: ReadonlySet<ProviderId>;
  /** When to call `tick`, monotonic milliseconds; absent when only an input can change anything. */
  readonly wakeAt: number | undefined;
}
