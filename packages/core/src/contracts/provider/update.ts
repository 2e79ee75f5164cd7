import type { SnapshotHash } from "../../model/content-hash.ts";
import type { ProviderHealth } from "../../model/provider-health.ts";
import type { ProviderId } from "../../model/provider-id.ts";
import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";
import type { Reason } from "../../errors/reason.ts";
import type { GuardHold } from "./guard-hold.ts";
import type { ProviderTermination } from "./provider-termination.ts";
import type { SwitchReason } from "./switch-reason.ts";

/**
 * Whether the providers together can serve. `available`: the active provider confirms the snapshot. `degraded`: the
 * last snapshot is held. `unavailable`: no provider can serve.
 */
export type Availability = "available" | "degraded" | "unavailable";

export interface HealthChange {
  readonly providerId: ProviderId;
  readonly from: ProviderHealth;
  readonly to: ProviderHealth;
  /** The failure that caused the change; absent if there was none. */
  readonly reason?: Reason | undefined;
}

export interface ProviderSwitch {
  readonly from: ProviderId;
  readonly to: ProviderId;
  readonly reason: SwitchReason;
  /** The failure of `from`; absent if there was none. */
  readonly cause?: Reason | undefined;
}

/** The stream of a provider that had delivered a snapshot ended. */
export interface StreamEnd {
  readonly providerId: ProviderId;
  readonly reason: ProviderTermination;
  /** Hash of the last snapshot it delivered. */
  readonly snapshotHash: SnapshotHash;
}

/** Everything that changed at one moment: failover passes it to the hub in one call. */
export interface Update {
  /**
   * The content in force. It is the same object as in the previous update if it did not change; undefined before the
   * first.
   */
  readonly snapshot: ProviderSnapshot | undefined;
  /** True when the active provider confirmed the content at this moment, by a snapshot or a heartbeat. */
  readonly isFresh: boolean;
  readonly availability: Availability;
  /** The reason for the availability, as a text for people; never empty. */
  readonly reason: string;
  /** The failure that caused the availability; absent if there is none. */
  readonly cause?: Reason | undefined;
  /** Set when another provider became active. */
  readonly switched?: ProviderSwitch | undefined;
  /** The stream that ended at this moment. */
  readonly ended?: StreamEnd | undefined;
  /** Changes of health, in the order in which they happened. */
  readonly health: readonly HealthChange[];
  /** All current holds, at most one for each guard and provider. */
  readonly holds: readonly GuardHold[];
}

export interface UpdateRun {
  /** Ends the run. No update follows. */
  readonly signal: AbortSignal;
  /**
   * Called with each update, in order. Must not throw. May call back into the source; the resulting update is passed in
   * a separate call.
   */
  readonly onUpdate: (update: Update) => void;
}

/** The source of the hub's updates: failover. */
export interface UpdateSource {
  /**
   * Watches until the signal aborts. The first update may be passed before the call returns. Resolves when everything
   * has ended.
   */
  run(run: UpdateRun): Promise<void>;
}
