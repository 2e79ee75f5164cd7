import type { Admission } from "@holdfast/bridges";
import type { TopologyState, TopologyStatus } from "@holdfast/core";

/** A placement request that waits for admission. */
export interface AdmissionRecord {
  /** Number of the newest snapshot at the time of the request. */
  readonly seqNo: number;
  /** Every status from the request until its outcome. */
  readonly statuses: Set<TopologyStatus>;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. */
  readonly atMs: number;
  outcome: "pending" | "admitted" | "refused";
  admission?: Admission;
  error?: unknown;
}

/** The status for admission: when all members are only kept by a guard, placement pauses as if there were none. */
export function admissionStatusOf({ status, snapshot }: TopologyState): TopologyStatus {
  const isOnlyRetained =
    snapshot?.retained !== undefined && snapshot.retained.length === snapshot.members.size;
  return status === "degraded" && isOnlyRetained ? "empty" : status;
}
