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

/**
 * The content changed. `previousHash` identifies the snapshot whose cached results are now invalid; absent for the very
 * first snapshot.
 */
export interface SnapshotEvent extends Tick {
  readonly kind: "snapshot";
  readonly snapshot: ProviderSnapshot;
  readonly previousHash?: SnapshotHash | undefined;
  /**
   * The change from the previous snapshot to this one. For the first snapshot everything is added. Each list is sorted
   * by id. Never empty, except for a first snapshot without members.
   */
  readonly delta: SnapshotDelta;
}

/** Another provider became active. This event comes before the first snapshot of that provider. */
export interface ProviderChangedEvent extends Tick {
  readonly kind: "provider_changed";
  readonly from: ProviderId;
  readonly to: ProviderId;
  readonly reason: SwitchReason;
  /** The failure of `from`, if there was one. */
  readonly cause?: Reason | undefined;
  /** Hash of the snapshot in force at that moment; absent before the first. */
  readonly snapshotHash?: SnapshotHash | undefined;
}

/** A provider's stream ended. The last snapshot stays available. */
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
  /** The failure that caused the change; absent if there was none. */
  readonly reason?: Reason | undefined;
}

/** The status changed, or it stays `degraded` or `empty` and only `isStale` changed: then `from` and `to` are equal. */
export interface StatusChangedEvent extends Tick {
  readonly kind: "status_changed";
  readonly from: TopologyStatus;
  readonly to: TopologyStatus;
  /** The snapshot is not known to be current; see `TopologyState.isStale`. */
  readonly isStale: boolean;
  /**
   * A text for people; never empty. The reason at this moment: `TopologyState.statusReason` follows later changes of
   * the reason.
   */
  readonly reason: string;
  /** The failure that caused it, if there is one. */
  readonly cause?: Reason | undefined;
  readonly snapshotHash?: SnapshotHash | undefined;
}

/**
 * A guard started a hold (before the snapshot that shows it), ended one (after the snapshot), or changed the `nodes` or
 * `until` of a hold.
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

/** An event without its position in the log. */
export type TopologyEventDraft = TopologyEvent extends infer E
  ? E extends TopologyEvent
    ? Omit<E, keyof Tick>
    : never
  : never;

/** The events that are delivered one by one and never skipped, unlike snapshots, which can be overtaken. */
export type TopologyNotice =
  | ProviderChangedEvent
  | StreamTerminatedEvent
  | StatusChangedEvent
  | GuardChangedEvent;
