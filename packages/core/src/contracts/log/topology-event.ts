import type { SnapshotHash } from "../../model/content-hash.ts";
import type { GuardHold } from "../provider/guard-hold.ts";
import type { ProviderId } from "../../model/provider-id.ts";
import type { ProviderTermination } from "../provider/provider-termination.ts";
import type { ProviderHealth } from "../../model/provider-health.ts";
import type { SwitchReason } from "../provider/switch-reason.ts";
import type { ProviderSnapshot, SnapshotDelta } from "../../model/provider-snapshot.ts";
import type { Reason } from "../../errors/reason.ts";
import type { Epoch } from "./epoch.ts";
import type { TopologyStatus } from "./topology-state.ts";

interface Tick {
  readonly epoch: Epoch;
  /** 1, 2, 3, ... within the epoch, without a gap. */
  readonly seqNo: number;
  /** Wall-clock milliseconds. */
  readonly at: number;
}

/** The content changed. `previousHash` names the cache that is void now; absent for the very first. */
export interface SnapshotEvent extends Tick {
  readonly kind: "snapshot";
  readonly snapshot: ProviderSnapshot;
  readonly previousHash?: SnapshotHash | undefined;
  /** From the previous snapshot to this one; for the first, everything is added. Each list is sorted by id. Never empty, except for a first snapshot without members. */
  readonly delta: SnapshotDelta;
}

/** Another provider is active. Comes before its first snapshot. */
export interface ProviderChangedEvent extends Tick {
  readonly kind: "provider_changed";
  readonly from: ProviderId;
  readonly to: ProviderId;
  readonly reason: SwitchReason;
  /** What was wrong with `from`, where something was. */
  readonly cause?: Reason | undefined;
  /** Of the snapshot in force when it happened; absent before the first. */
  readonly snapshotHash?: SnapshotHash | undefined;
}

/** A provider's stream is over. The last snapshot stays available. */
export interface StreamTerminatedEvent extends Tick {
  readonly kind: "stream_terminated";
  readonly providerId: ProviderId;
  readonly reason: ProviderTermination;
  readonly snapshotHash?: SnapshotHash | undefined;
}

export interface HealthChangedEvent extends Tick {
  readonly kind: "health_changed";
  readonly providerId: ProviderId;
  readonly from: ProviderHealth;
  readonly to: ProviderHealth;
  /** The failure that changed it; absent where none did. */
  readonly reason?: Reason | undefined;
}

/** The status changed; or it is `degraded` as before, and `isStale` changed: then `from` and `to` are equal. */
export interface StatusChangedEvent extends Tick {
  readonly kind: "status_changed";
  readonly from: TopologyStatus;
  readonly to: TopologyStatus;
  /** For people; never empty. As it was at this moment: `TopologyState.statusReason` follows later changes of the reason. */
  readonly reason: string;
  /** The failure behind it, where there is one. */
  readonly cause?: Reason | undefined;
  readonly snapshotHash?: SnapshotHash | undefined;
}

/**
 * A guard began to hold something, ahead of the snapshot that shows it; let go of it, after the snapshot; or holds on, with
 * other `nodes` or another `until`.
 */
export interface GuardChangedEvent extends Tick, GuardHold {
  readonly kind: "guard_changed";
  readonly isHolding: boolean;
}

/** One step of the ordered log. */
export type TopologyEvent =
  | SnapshotEvent
  | ProviderChangedEvent
  | StreamTerminatedEvent
  | HealthChangedEvent
  | StatusChangedEvent
  | GuardChangedEvent;

/** An event that has no place in the log yet. */
export type TopologyEventDraft = TopologyEvent extends infer E
  ? E extends TopologyEvent
    ? Omit<E, keyof Tick>
    : never
  : never;

/** The events that are told one by one and never skipped, unlike snapshots that were overtaken. */
export type TopologyNotice =
  | ProviderChangedEvent
  | StreamTerminatedEvent
  | StatusChangedEvent
  | GuardChangedEvent;
