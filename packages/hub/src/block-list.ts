import { includesSorted, type NodeBlocks, type NodeId, type ProviderSnapshot } from "@holdfast/core";

/**
 * The nodes that Remoting isolated. A block ends at the first good refresh after Remoting restored the node, or at a good refresh in
 * which the node is not a member. A node that joins again after that is not blocked.
 */
export class BlockList implements NodeBlocks {
  readonly #blocked = new Set<NodeId>();
  readonly #restoring = new Set<NodeId>();

  has(id: NodeId): boolean {
    return this.#blocked.has(id);
  }

  block(id: NodeId): boolean {
    this.#restoring.delete(id);
    if (this.#blocked.has(id)) return false;
    this.#blocked.add(id);
    return true;
  }

  restore(id: NodeId): boolean {
    if (!this.#blocked.has(id) || this.#restoring.has(id)) return false;
    this.#restoring.add(id);
    return true;
  }

  /** A good refresh: the backend has just confirmed these members, except the retained ones. Returns true if it lifted a block. */
  refresh({ members, retained }: Pick<ProviderSnapshot, "members" | "retained">): boolean {
    let isChanged = false;
    for (const id of this.#blocked) {
      if (includesSorted(retained, id)) continue;
      if (!this.#restoring.has(id) && members.has(id)) continue;
      this.#blocked.delete(id);
      this.#restoring.delete(id);
      isChanged = true;
    }
    return isChanged;
  }

  get blocked(): readonly NodeId[] {
    return [...this.#blocked].sort();
  }

  get restoring(): readonly NodeId[] {
    return [...this.#restoring].sort();
  }
}
