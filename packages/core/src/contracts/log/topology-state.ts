import type { NodeId } from "../../model/cluster-node.ts";
import type { GuardHold } from "../provider/guard-hold.ts";
import type { ProviderSnapshot } from "../../model/provider-snapshot.ts";
import type { Reason } from "../../errors/reason.ts";
import type { Epoch } from "./epoch.ts";

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
