import type { NodeId } from "../../model/cluster-node.ts";
import type { SnapshotHash } from "../../model/content-hash.ts";
import type { GuardHold } from "../provider/guard-hold.ts";
import type { ProviderId } from "../provider/provider-descriptor.ts";
import type { ProviderTermination } from "../provider/provider-event.ts";
import type { ProviderHealth, SwitchReason } from "../../model/provider-health.ts";
import type { ProviderSnapshot, SnapshotDelta } from "../../model/provider-snapshot.ts";
import type { Reason } from "../../errors/reason.ts";

/**
 * Names one run of a service. The epoch of a later run sorts after that of an earlier one: always with a `GenerationStore`, otherwise as
 * long as the wall clock is not set back between them.
 */
export type Epoch = string;

/**
 * `starting`: nothing has arrived. `ready`: current. `degraded`: the last snapshot may be out of date (`isStale`), or a guard shows
 * members that the active provider does not list (`retained`). `empty`: there is no member, placement pauses. `unavailable`: no
 * provider can serve; the last snapshot is stale. `draining`, `stopped`: the end.
 */
export type TopologyStatus =
  | "starting"
  | "ready"
  | "degraded"
  | "empty"
  | "unavailable"
  | "draining"
  | "stopped";

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
  /** From the previous snapshot to this one. Computed when first asked for. */
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

/** Everything the log has led to, at one moment. */
export interface TopologyState {
  readonly epoch: Epoch;
  /** Of the last event; 0 before the first. */
  readonly seqNo: number;
  readonly status: TopologyStatus;
  /** For people; never empty. Current: it changes without an event while the status stays the same. */
  readonly statusReason: string;
  /** The failure behind the status, where there is one. */
  readonly statusCause?: Reason | undefined;
  /** The newest snapshot, kept through failures; absent before the first. */
  readonly snapshot?: ProviderSnapshot | undefined;
  /** The `seqNo` of the event that brought the snapshot; 0 before the first. */
  readonly snapshotSeqNo: number;
  /** Blocked nodes that Remoting restored, waiting for the next good refresh; sorted. */
  readonly restoringNodes: readonly NodeId[];
  /** The snapshot is not known to be current: nobody can serve, or the last answer is only held. */
  readonly isStale: boolean;
  /** What guards hold at the moment, one entry a guard. */
  readonly holds: readonly GuardHold[];
}

/** Where bridges, metrics and servers read the log from: the hub, seen from downstream. */
export interface TopologySource {
  readonly state: TopologyState;
  /** Called for every event in order, after the state is set. Returns the way to stop it. */
  onEvent(listener: (event: TopologyEvent) => unknown): () => void;
}

/**
 * Remoting reports nodes that it isolated or restored. A block is in the next snapshot's `blockedNodes`, at once. It ends at the next
 * good refresh after `restore`, when the node leaves, or with the run: it is not stored.
 */
export interface NodeBlocks {
  /** Marks a member as blocked. False when it is blocked already or no member. */
  block(nodeId: NodeId): boolean;
  /** Lifts a block at the next good refresh. False when it is not blocked or already being restored. */
  restore(nodeId: NodeId): boolean;
}
