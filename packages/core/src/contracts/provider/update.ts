import type { SnapshotHash } from "../../model/content-hash.ts";
import type { ProviderHealth } from "../../model/provider-health.ts";
import type { ProviderId } from "../../model/provider-id.ts";
import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";
import type { Reason } from "../../errors/reason.ts";
import type { GuardHold } from "./guard-hold.ts";
import type { ProviderTermination } from "./provider-termination.ts";
import type { SwitchReason } from "./switch-reason.ts";

/**
 * Whether the providers together can serve. `available`: the active provider vouches for the snapshot. `degraded`: the last snapshot
 * is held. `unavailable`: no provider can serve.
 */
export type Availability = "available" | "degraded" | "unavailable";

export interface HealthChange {
  readonly providerId: ProviderId;
  readonly from: ProviderHealth;
  readonly to: ProviderHealth;
  /** The failure that changed it; absent where none did. */
  readonly reason?: Reason | undefined;
}

export interface ProviderSwitch {
  readonly from: ProviderId;
  readonly to: ProviderId;
  readonly reason: SwitchReason;
  /** What was wrong with `from`; absent when nothing was. */
  readonly cause?: Reason | undefined;
}

/** The stream of a provider that had delivered a snapshot ended. */
export interface StreamEnd {
  readonly providerId: ProviderId;
  readonly reason: ProviderTermination;
  /** Hash of the last snapshot it delivered. */
  readonly snapshotHash: SnapshotHash;
}

/** Everything that became true at one moment: what failover hands to the hub, in one call. */
export interface Update {
  /** The content in force. The same object as in the update before when it did not change; absent before the first. */
  readonly snapshot: ProviderSnapshot | undefined;
  /** The active provider confirmed the content at this moment, by a snapshot or a heartbeat. */
  readonly isFresh: boolean;
  readonly availability: Availability;
  /** Why the availability is as it is. For people; never empty. */
  readonly reason: string;
  /** The failure behind the availability; absent where there is none. */
  readonly cause?: Reason | undefined;
  /** Another provider became the active one. */
  readonly switched?: ProviderSwitch | undefined;
  /** The stream that ended at this moment. */
  readonly ended?: StreamEnd | undefined;
  /** In the order in which they happened. */
  readonly health: readonly HealthChange[];
  /** All holds in force, at most one for each guard and provider. */
  readonly holds: readonly GuardHold[];
}

export interface UpdateRun {
  /** Ends the run. No update follows. */
  readonly signal: AbortSignal;
  /** Called with each update, in order. Must not throw. May call back into the source: the resulting update is a call of its own. */
  readonly onUpdate: (update: Update) => void;
}

/** Where the hub gets its updates from: failover. */
export interface UpdateSource {
  /** Watches until the signal aborts; the first update may come before the call returns. Resolves when everything has ended. */
  run(run: UpdateRun): Promise<void>;
}
