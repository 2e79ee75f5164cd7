import type { NodeId } from "../../model/cluster-node.ts";

/**
 * Receives reports of nodes that Remoting isolated or restored. A block is in the `blockedNodes` of the next snapshot,
 * which is emitted at once. It ends at the next good refresh after `restore`, when the node leaves, or with the run,
 * because it is not stored.
 */
export interface NodeBlocks {
  /** Marks a member as blocked. Returns false when it is already blocked or is not a member. */
  block(nodeId: NodeId): boolean;
  /**
   * Lifts a block at the next good refresh. Returns false when the node is not blocked or is already being restored.
   */
  restore(nodeId: NodeId): boolean;
}
