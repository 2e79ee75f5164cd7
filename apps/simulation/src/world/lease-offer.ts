import type { RecordedLease } from "@holdfast/conformance";

/** Leases that Placement publishes by itself, and what came of it. */
export interface LeaseOffer {
  /** The tick they were computed with. */
  readonly seqNo: number;
  readonly leases: readonly RecordedLease[];
  outcome: "pending" | "published" | "refused";
  error?: unknown;
}
