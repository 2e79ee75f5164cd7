import type { ClusterNode } from "@holdfast/core";

/** Higher weights count as this one, so that sums stay exact enough. */
const MAX_WEIGHT = 1_000_000_000;

/** The weight of a node for calls, 0 for a drained one. A node without a weight has the weight 1. */
export function weightOf({ weight = 1 }: ClusterNode): number {
  return weight > 0 ? Math.min(Math.max(weight, 1 / MAX_WEIGHT), MAX_WEIGHT) : 0;
}
