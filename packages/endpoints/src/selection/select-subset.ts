import { combineHashes, hashText, type ClusterNode, type NodeId, type TextHash } from "@holdfast/core";

/**
 * Selects the same part of a large set each time, and another part for each client (rendezvous hashing: the nodes with the
 * lowest scores). When one node leaves, at most one other takes its place; when one joins, at most one leaves. With many
 * clients every node is in about the same number of subsets.
 */
export class SubsetSelector {
  readonly #size: number;
  readonly #client: TextHash;
  /** Scores of the nodes of the last call, so that a change hashes only what is new. */
  #scores: ReadonlyMap<NodeId, number> = new Map();

  constructor(size: number, clientId: string) {
    this.#size = size;
    this.#client = hashText(clientId);
  }

  /** The nodes must be sorted by id; so is the result. With `isLocal`, up to `size` local and up to `size` other nodes. */
  select(
    nodes: readonly ClusterNode[],
    isLocal: (node: ClusterNode) => boolean = () => true,
  ): readonly ClusterNode[] {
    if (nodes.length <= this.#size) return nodes;
    const scores = new Map<NodeId, number>();
    const local: number[] = [];
    const others: number[] = [];
    for (const node of nodes) {
      const score = this.#scores.get(node.id) ?? combineHashes(this.#client, hashText(node.id));
      scores.set(node.id, score);
      (isLocal(node) ? local : others).push(score);
    }
    this.#scores = scores;
    const localLimit = this.#limitOf(local);
    const otherLimit = this.#limitOf(others);
    return nodes.filter((node) => scores.get(node.id)! <= (isLocal(node) ? localLimit : otherLimit));
  }

  /** The highest score that belongs to the subset. */
  #limitOf(scores: readonly number[]): number {
    if (scores.length <= this.#size) return Infinity;
    // A typed array is sorted as numbers, without a call for each comparison.
    return Float64Array.from(scores).sort()[this.#size - 1]!;
  }
}
