import {
  callIsolated,
  includesSorted,
  type NodeBlocks,
  type NodeId,
  type ProviderSnapshot,
} from "@holdfast/core";

/**
 * Blocks ejected members in the topology, and restores them when their ejection ends. It never restores a block of
 * others, and keeps all blocks together below a share of the members.
 */
export class BlockSync {
  readonly #blocks: NodeBlocks;
  readonly #maxShare: number;
  readonly #onFailure: (error: unknown) => void;
  /** Blocked by this client, and not yet restored by it. */
  readonly #ours = new Set<NodeId>();

  constructor(blocks: NodeBlocks, maxShare: number, onFailure: (error: unknown) => void) {
    this.#blocks = blocks;
    this.#maxShare = maxShare;
    this.#onFailure = onFailure;
  }

  /** Brings the blocks in line with the ejected members. */
  apply(ejected: readonly NodeId[], snapshot: ProviderSnapshot | undefined): void {
    for (const id of this.#ours) if (!ejected.includes(id)) this.#restore(id);
    if (snapshot === undefined) return;
    let room = maxBlocked(snapshot.members.size, this.#maxShare) - snapshot.blockedNodes.length;
    for (const id of ejected) {
      if (room <= 0) return;
      if (this.#ours.has(id) || includesSorted(snapshot.blockedNodes, id)) continue;
      if (this.#block(id)) room--;
    }
  }

  /** Restores all. */
  clear(): void {
    for (const id of this.#ours) this.#restore(id);
  }

  #block(id: NodeId): boolean {
    let isBlocked = false;
    callIsolated(() => {
      isBlocked = this.#blocks.block(id);
    }, this.#onFailure);
    if (isBlocked) this.#ours.add(id);
    return isBlocked;
  }

  #restore(id: NodeId): void {
    this.#ours.delete(id);
    callIsolated(() => void this.#blocks.restore(id), this.#onFailure);
  }
}

/** How many of the members may be blocked at once: at least one, but never all. Pure. */
export function maxBlocked(members: number, maxShare: number): number {
  return Math.max(0, Math.min(members - 1, Math.max(1, Math.floor(members * maxShare))));
}
