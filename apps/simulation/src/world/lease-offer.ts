import type { Lease } from "@holdfast/core";

/** Leases that Placement publishes outside applySnapshot, and the outcome. */
export interface LeaseOffer {
  /** The tick they were computed with. */
  readonly seqNo: number;
  readonly leases: readonly Lease[];
  outcome: "pending" | "published" | "refused";
  error?: unknown;
}
