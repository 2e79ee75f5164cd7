import { diffMembers, type NodeId, type ProviderId, type ProviderSnapshot } from "@holdfast/core";

/** The standbys at one moment. */
export interface Standbys {
  /** All configured providers except the active one. */
  readonly ids: ReadonlySet<ProviderId>;
  /** The snapshots of the healthy standbys. */
  readonly healthy: ReadonlyMap<ProviderId, ProviderSnapshot>;
  /** At least one standby is still starting up: it has neither delivered a snapshot nor failed. */
  readonly isPending: boolean;
}

interface Opinion {
  /** The last snapshot that it delivered as a healthy standby; absent while it is the active provider. */
  snapshot: ProviderSnapshot | undefined;
  isHealthy: boolean;
  /** Nodes that were removed although it still listed them. It no longer counts for these nodes. */
  readonly overruled: Set<NodeId>;
  /** Nodes that it had listed and then removed, with the time of the removal; oldest first. */
  readonly dropped: Map<NodeId, number>;
}

/**
 * Knows which nodes the standbys list, and which they have removed recently. A standby that was overruled for a node counts again for that
 * node once it has removed the node itself, or once another provider lists the node again.
 *
 * Pure: `now` is in monotonic milliseconds.
 */
export class StandbyOpinions {
  readonly #memoryMs: number;
  readonly #opinions = new Map<ProviderId, Opinion>();

  /** A removal by a standby counts as recent for `memoryMs`. */
  constructor(memoryMs: number) {
    this.#memoryMs = memoryMs;
  }

  /** Takes over the state of the standbys. Returns true when it changed. */
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

  /** Forgets providers that are no longer configured. Returns true when there was one. */
  keepOnly(configured: ReadonlySet<ProviderId>): boolean {
    const gone = [...this.#opinions.keys()].filter((id) => !configured.has(id));
    for (const id of gone) this.#opinions.delete(id);
    return gone.length > 0;
  }

  /** Returns the first standby whose last snapshot lists the node; `which` selects healthy standbys or all. */
  findListing(node: NodeId, which: "healthy" | "all"): ProviderId | undefined {
    for (const [id, { snapshot, isHealthy, overruled }] of this.#opinions) {
      if (snapshot === undefined || (which === "healthy" && !isHealthy)) continue;
      if (snapshot.members.has(node) && !overruled.has(node)) return id;
    }
    return undefined;
  }

  /** Whether a healthy standby had listed the node and has removed it recently. */
  isDropped(node: NodeId, now: number): boolean {
    for (const { snapshot, isHealthy, dropped } of this.#opinions.values()) {
      const at = dropped.get(node);
      if (snapshot === undefined || !isHealthy || at === undefined) continue;
      if (now - at <= this.#memoryMs && !snapshot.members.has(node)) return true;
    }
    return false;
  }

  /** The nodes are removed although standbys list them: these standbys no longer count for these nodes. */
  overrule(nodes: readonly NodeId[]): void {
    for (const { snapshot, overruled } of this.#opinions.values()) {
      for (const node of nodes) if (snapshot?.members.has(node) === true) overruled.add(node);
    }
  }

  /** Standbys that were overruled for a node count for it again when the active provider lists the node again. */
  clearOverruled(active: ProviderId, { members }: ProviderSnapshot): void {
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
      // Deleted first, so that the map stays in order of time.
      dropped.delete(node);
      dropped.set(node, now);
    }
  }
}
