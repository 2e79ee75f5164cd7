import { diffMembers, type NodeId, type ProviderId, type ProviderSnapshot } from "@holdfast/core";

/** What the standbys say at one moment. */
export interface Standbys {
  /** Every configured provider but the active one. */
  readonly ids: ReadonlySet<ProviderId>;
  /** The snapshots of those that are healthy. */
  readonly healthy: ReadonlyMap<ProviderId, ProviderSnapshot>;
  /** One of them is still starting up: it has neither delivered nor failed yet. */
  readonly isPending: boolean;
}

interface Opinion {
  /** Its last snapshot while it was a healthy standby; absent while it is active. */
  snapshot: ProviderSnapshot | undefined;
  isHealthy: boolean;
  /** Nodes that left although it still listed them: it is not asked about them again. */
  readonly overruled: Set<NodeId>;
  /** Nodes it listed and then removed, with the time of the removal. */
  readonly dropped: Map<NodeId, number>;
}

/**
 * Which members the standbys list, and which of them they removed recently. A standby whose objection was overruled about a node
 * counts again for that node once it has removed the node itself, or once another provider lists it again.
 *
 * Pure: `now` is monotonic milliseconds.
 */
export class StandbyOpinions {
  readonly #memoryMs: number;
  readonly #opinions = new Map<ProviderId, Opinion>();

  /** Removals are remembered for `memoryMs`. */
  constructor(memoryMs: number) {
    this.#memoryMs = memoryMs;
  }

  /** Returns true when an opinion has changed. */
  observe({ ids, healthy }: Standbys, now: number): boolean {
    let isChanged = false;
    for (const [id, opinion] of this.#opinions) {
      const isHealthy = healthy.has(id);
      isChanged ||= isHealthy !== opinion.isHealthy;
      opinion.isHealthy = isHealthy;
      if (ids.has(id) || opinion.snapshot === undefined) continue;
      opinion.snapshot = undefined;
      isChanged = true;
    }
    for (const [id, snapshot] of healthy) {
      if (this.#opinions.get(id)?.snapshot === snapshot) continue;
      this.#take(id, snapshot, now);
      isChanged = true;
    }
    return isChanged;
  }

  /** Forgets providers that are not configured any more. Returns true when there was one. */
  keepOnly(configured: ReadonlySet<ProviderId>): boolean {
    const gone = [...this.#opinions.keys()].filter((id) => !configured.has(id));
    for (const id of gone) this.#opinions.delete(id);
    return gone.length > 0;
  }

  /** The first standby that lists the node; of those that are healthy now, or of all by their last snapshot. */
  findListing(node: NodeId, which: "healthy" | "all"): ProviderId | undefined {
    for (const [id, { snapshot, isHealthy, overruled }] of this.#opinions) {
      if (snapshot === undefined || (which === "healthy" && !isHealthy)) continue;
      if (snapshot.members.has(node) && !overruled.has(node)) return id;
    }
    return undefined;
  }

  /** A healthy standby had listed the node, and removed it itself not long ago. */
  isDropped(node: NodeId, now: number): boolean {
    for (const { snapshot, isHealthy, dropped } of this.#opinions.values()) {
      const at = dropped.get(node);
      if (snapshot === undefined || !isHealthy || at === undefined) continue;
      if (now - at <= this.#memoryMs && !snapshot.members.has(node)) return true;
    }
    return false;
  }

  /** The nodes leave although standbys list them. */
  overrule(nodes: readonly NodeId[]): void {
    for (const { snapshot, overruled } of this.#opinions.values()) {
      for (const node of nodes) if (snapshot?.members.has(node) === true) overruled.add(node);
    }
  }

  /** The active provider lists these members: standbys that had objected to the removal of one were right. */
  credit(active: ProviderId, { members }: ProviderSnapshot): void {
    const own = this.#opinions.get(active)?.overruled;
    for (const [id, { overruled }] of this.#opinions) {
      if (id === active) continue;
      for (const node of overruled) if (members.has(node) && own?.has(node) !== true) overruled.delete(node);
    }
  }

  #take(id: ProviderId, snapshot: ProviderSnapshot, now: number): void {
    const opinion = this.#opinions.get(id) ?? {
      snapshot: undefined,
      isHealthy: true,
      overruled: new Set(),
      dropped: new Map(),
    };
    this.#opinions.set(id, opinion);
    const { snapshot: before, overruled, dropped } = opinion;
    opinion.snapshot = snapshot;
    for (const node of overruled) if (!snapshot.members.has(node)) overruled.delete(node);
    for (const [node, at] of dropped) {
      if (now - at > this.#memoryMs) dropped.delete(node);
      else break;
    }
    if (before === undefined) return;
    for (const { id: node } of diffMembers(before.members, snapshot.members).removed) {
      // Deleted first, so that the map stays in the order of time.
      dropped.delete(node);
      dropped.set(node, now);
    }
  }
}
