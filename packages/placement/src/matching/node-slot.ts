import { hashText, type NodeId } from "@holdfast/core";
import type { PartitionHeap } from "./partition-heap.ts";

/** What a node brings to the matching. */
export interface PlacedNode {
  readonly id: NodeId;
  /** Greater than 0. */
  readonly weight: number;
  readonly zone: string | undefined;
}

/** A node in the matching of one rank. */
export interface NodeSlot extends PlacedNode {
  readonly hash: number;
  /** How many partitions the node may hold at this rank. */
  capacity: number;
  /** The partitions that it holds within its capacity; the one with the lowest draw first. */
  readonly held: PartitionHeap;
}

export function hashNodeId(id: NodeId): number {
  const { high, low } = hashText(id);
  return high ^ low;
}
