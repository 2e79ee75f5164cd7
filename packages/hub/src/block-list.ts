import { includesSorted, type NodeBlocks, type NodeId, type ProviderSnapshot } from "@holdfast/core";

/**
 * The nodes Remoting isolated. A block holds until Remoting restores the node and a good refresh follows, or until a good
 * refresh shows that the node is gone: who comes back after that comes as a new member.
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

  /** The backend has just confirmed these members but the retained: lifts what may be lifted. True when something was. */
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
