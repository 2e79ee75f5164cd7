import type { NodeId } from "../../model/cluster-node.ts";

/**
 * Remoting reports nodes that it isolated or restored. A block is in the next snapshot's `blockedNodes`, at once. It ends at the next
 * good refresh after `restore`, when the node leaves, or with the run: it is not stored.
 */
export interface NodeBlocks {
  /** Marks a member as blocked. False when it is blocked already or no member. */
  block(nodeId: NodeId): boolean;
  /** Lifts a block at the next good refresh. False when it is not blocked or already being restored. */
  restore(nodeId: NodeId): boolean;
}
