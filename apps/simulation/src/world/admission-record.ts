import type { Admission } from "@holdfast/bridges";
import type { TopologyState, TopologyStatus } from "@holdfast/core";

/** A placement request that asked to be admitted. */
export interface AdmissionRecord {
  /** Of the newest snapshot when it asked. */
  readonly seqNo: number;
  /** Every status from then until it was answered. */
  readonly statuses: Set<TopologyStatus>;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. */
  readonly atMs: number;
  outcome: "pending" | "admitted" | "refused";
  admission?: Admission;
  error?: unknown;
}

/** The status as it counts for admission: with only members that a guard keeps placement pauses as if there were none. */
export function admissionStatusOf({ status, snapshot }: TopologyState): TopologyStatus {
  const isOnlyRetained =
    snapshot?.retained !== undefined && snapshot.retained.length === snapshot.members.size;
  return status === "degraded" && isOnlyRetained ? "empty" : status;
}
