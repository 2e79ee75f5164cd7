import type { NodeId } from "../../model/cluster-node.ts";
import type { GuardHold } from "../provider/guard-hold.ts";
import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";
import type { Reason } from "../../errors/reason.ts";
import type { Epoch } from "./epoch.ts";

/** Every status a topology can have, in the order of its life. */
export const TOPOLOGY_STATUSES = [
  "starting",
  "ready",
  "degraded",
  "empty",
  "unavailable",
  "draining",
  "stopped",
] as const;

/**
 * `starting`: no snapshot has arrived. `ready`: current. `degraded`: the last snapshot may be out of date (`isStale`),
 * or a guard keeps members that the active provider does not list (`retained`). `empty`: there are no members, and
 * placement pauses. `unavailable`: no provider can serve, and the last snapshot is stale. `draining`, `stopped`:
 * shutdown.
 */
export type TopologyStatus = (typeof TOPOLOGY_STATUSES)[number];

/** The whole state of a topology at one moment. */
export interface TopologyState {
  readonly epoch: Epoch;
  /** Number of the last event; 0 before the first. */
  readonly seqNo: number;
  readonly status: TopologyStatus;
  /**
   * A text for people; never empty. It is always current and may change without an event while the status stays the
   * same.
   */
  readonly statusReason: string;
  /** The failure that caused the status, if there is one. */
  readonly statusCause?: Reason | undefined;
  /** The newest snapshot, kept through failures; absent before the first. */
  readonly snapshot?: ProviderSnapshot | undefined;
  /** The `seqNo` of the event with this snapshot; 0 before the first. */
  readonly snapshotSeqNo: number;
  /** Blocked nodes that Remoting restored, waiting for the next good refresh; sorted. */
  readonly restoringNodes: readonly NodeId[];
  /** True when the snapshot is not known to be current: no provider can serve, or the last response is only held. */
  readonly isStale: boolean;
  /** The current holds, at most one per guard. */
  readonly holds: readonly GuardHold[];
}
