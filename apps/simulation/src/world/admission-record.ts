import type { Admission } from "@holdfast/bridges";
import type { TopologyStatus } from "@holdfast/core";

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
