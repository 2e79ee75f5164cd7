import type { Lease } from "@holdfast/core";

/** Leases that Placement publishes by itself, and what came of it. */
export interface LeaseOffer {
  /** The tick they were computed with. */
  readonly seqNo: number;
  readonly leases: readonly Lease[];
  outcome: "pending" | "published" | "refused";
  error?: unknown;
}
