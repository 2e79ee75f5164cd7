import { setCapacities } from "./capacities.ts";
import { hashNodeId, type NodeSlot, type PlacedNode } from "./node-slot.ts";
import { distanceOf, drawOf } from "./pair-distance.ts";
import { PartitionHeap, type HeapArrays } from "./partition-heap.ts";

export interface RankMatchingOptions {
  /** A hash of each partition for this rank. */
  readonly hashes: Int32Array;
  /** A node holds at most this multiple of its share by weight. */
  readonly maxLoad: number;
  /** False: the node must not hold the partition at this rank. The answer may change only for partitions that `update` names. */
  readonly isAllowed: ((partition: number, node: PlacedNode) => boolean) | undefined;
}

/**
 * Matches each partition with one node, within the capacities of the nodes. Partitions prefer the nearest node, and nodes the
 * nearest partitions. Both use the same distances, so exactly one matching is stable (no partition and node prefer each other
 * to what they have): the one that takes pairs by distance. It therefore depends only on the nodes, not on the order in which they
 * came, and a change is applied by resolving only what it has made unstable.
 *
 * A partition for which no allowed node has room goes to its nearest allowed node beyond the capacity.
 */
export class RankMatching {
  readonly #options: RankMatchingOptions;
  readonly #arrays: HeapArrays;
  readonly #owners: (NodeSlot | undefined)[];
  readonly #distances: Float64Array;
  readonly #slots = new Map<string, NodeSlot>();
  /** Sorted by id within each weight; the groups are sorted by weight. */
  #groups: readonly (readonly NodeSlot[])[] = [];
  /** Partitions that no node holds within its capacity, and the nodes they are given to. */
  #beyond = new Map<number, NodeSlot | undefined>();
  readonly #freed = new Set<number>();
  readonly #vacant = new Set<NodeSlot>();
  /** The owner of each partition that may have changed, as it was before the update. */
  readonly #changed = new Map<number, PlacedNode | undefined>();

  constructor(options: RankMatchingOptions) {
    const { length } = options.hashes;
    this.#options = options;
    this.#arrays = { draws: new Float64Array(length), positions: new Int32Array(length) };
    this.#owners = Array.from({ length });
    this.#distances = new Float64Array(length).fill(Infinity);
    for (let partition = 0; partition < length; partition++) this.#beyond.set(partition, undefined);
  }

  ownerOf(partition: number): PlacedNode | undefined {
    return this.#owners[partition] ?? this.#beyond.get(partition);
  }

  /**
   * Brings the matching to these nodes, which are sorted by id. Returns the partitions whose owner, or whose owner's zone, changed.
   * `reconsidered` are the partitions for which `isAllowed` may have changed.
   */
  update(nodes: readonly PlacedNode[], reconsidered: Iterable<number> = []): readonly number[] {
    this.#changed.clear();
    for (const partition of this.#beyond.keys()) {
      this.#remember(partition);
      this.#freed.add(partition);
    }
    this.#replaceNodes(nodes);
    for (const partition of reconsidered) this.#free(partition);
    this.#fit();
    this.#settle();
    return [...this.#changed].flatMap(([partition, before]) => {
      const owner = this.ownerOf(partition);
      return owner?.id === before?.id && owner?.zone === before?.zone ? [] : [partition];
    });
  }

  #replaceNodes(nodes: readonly PlacedNode[]): void {
    const next = new Map(nodes.map((node) => [node.id, node]));
    for (const slot of this.#slots.values()) {
      const node = next.get(slot.id);
      if (node?.weight === slot.weight && node.zone === slot.zone) continue;
      while (slot.held.worst !== undefined) this.#free(slot.held.worst);
      this.#slots.delete(slot.id);
      this.#vacant.delete(slot);
    }
    for (const { id, weight, zone } of nodes) {
      if (this.#slots.has(id)) continue;
      const slot: NodeSlot = {
        id,
        weight,
        zone,
        hash: hashNodeId(id),
        capacity: 0,
        held: new PartitionHeap(this.#arrays),
      };
      this.#slots.set(id, slot);
    }
    const groups = new Map<number, NodeSlot[]>();
    for (const { id, weight } of nodes) {
      const group = groups.get(weight);
      if (group === undefined) groups.set(weight, [this.#slots.get(id)!]);
      else group.push(this.#slots.get(id)!);
    }
    this.#groups = [...groups.values()];
  }

  /** Applies the new capacities. */
  #fit(): void {
    const slots = this.#groups.flat();
    const before = slots.map(({ capacity }) => capacity);
    setCapacities(slots, this.#owners.length, this.#options.maxLoad);
    for (const [index, slot] of slots.entries()) {
      while (slot.held.size > slot.capacity) this.#free(slot.held.worst!);
      if (before[index]! <= slot.held.size && slot.held.size < slot.capacity) this.#vacant.add(slot);
    }
  }

  /** Resolves everything that is unstable. Each step replaces pairs by nearer ones, so it ends. */
  #settle(): void {
    // Without an owner, every partition is looked at anyway.
    if (this.#freed.size === this.#owners.length) this.#vacant.clear();
    for (;;) {
      for (const partition of this.#freed) {
        this.#freed.delete(partition);
        this.#place(partition);
      }
      const [slot] = this.#vacant;
      if (slot === undefined) break;
      this.#vacant.delete(slot);
      this.#attract(slot);
    }
    for (const partition of this.#beyond.keys()) this.#beyond.set(partition, this.#nearest(partition, false));
  }

  /** Gives a partition to the nearest node that has room, or that prefers it to one it holds. */
  #place(partition: number): void {
    const slot = this.#nearest(partition, true);
    if (slot === undefined) {
      this.#beyond.set(partition, undefined);
      return;
    }
    this.#take(slot, partition);
  }

  /** Fills a node that has room with the partitions that prefer it. */
  #attract(slot: NodeSlot): void {
    const { hashes, isAllowed } = this.#options;
    const { draws } = this.#arrays;
    const attracted: { readonly partition: number; readonly draw: number }[] = [];
    for (let partition = 0; partition < hashes.length; partition++) {
      const owner = this.#owners[partition];
      if (owner === slot) continue;
      const draw = drawOf(hashes[partition]!, slot.hash);
      if (owner?.weight === slot.weight) {
        if (draw < draws[partition]! || (draw === draws[partition] && slot.id > owner.id)) continue;
      } else {
        const distance = distanceOf(draw, slot.weight);
        if (distance > this.#distances[partition]!) continue;
        if (distance === this.#distances[partition] && owner !== undefined && slot.id > owner.id) continue;
      }
      if (isAllowed === undefined || isAllowed(partition, slot)) attracted.push({ partition, draw });
    }
    attracted.sort((a, b) => b.draw - a.draw || a.partition - b.partition);
    for (const { partition, draw } of attracted) {
      if (!this.#accepts(slot, partition, draw)) break;
      this.#leave(partition);
      this.#take(slot, partition);
    }
  }

  /** Returns the nearest allowed node; with `isBounded`, of those that accept the partition. */
  #nearest(partition: number, isBounded: boolean): NodeSlot | undefined {
    const { hashes, isAllowed } = this.#options;
    const hash = hashes[partition]!;
    let nearest: NodeSlot | undefined;
    let nearestDistance = Infinity;
    for (const group of this.#groups) {
      let best: NodeSlot | undefined;
      let bestDraw = -1;
      for (const slot of group) {
        const draw = drawOf(hash, slot.hash);
        // Of equal draws, the first id wins.
        if (draw <= bestDraw) continue;
        if (isBounded && !this.#accepts(slot, partition, draw)) continue;
        if (isAllowed !== undefined && !isAllowed(partition, slot)) continue;
        best = slot;
        bestDraw = draw;
      }
      if (best === undefined) continue;
      const distance = distanceOf(bestDraw, best.weight);
      if (nearest !== undefined && distance > nearestDistance) continue;
      if (nearest !== undefined && distance === nearestDistance && best.id > nearest.id) continue;
      nearest = best;
      nearestDistance = distance;
    }
    return nearest;
  }

  /** True when the node has room, or prefers the partition to the worst one that it holds. */
  #accepts(slot: NodeSlot, partition: number, draw: number): boolean {
    if (slot.held.size < slot.capacity) return true;
    const { worst } = slot.held;
    if (worst === undefined) return false;
    const worstDraw = this.#arrays.draws[worst]!;
    return draw > worstDraw || (draw === worstDraw && partition < worst);
  }

  #take(slot: NodeSlot, partition: number): void {
    const draw = drawOf(this.#options.hashes[partition]!, slot.hash);
    if (slot.held.size >= slot.capacity) this.#free(slot.held.worst!, false);
    this.#remember(partition);
    this.#beyond.delete(partition);
    this.#freed.delete(partition);
    this.#arrays.draws[partition] = draw;
    this.#distances[partition] = distanceOf(draw, slot.weight);
    this.#owners[partition] = slot;
    slot.held.add(partition);
  }

  /** Takes a partition from its node, so that it is placed again. */
  #free(partition: number, makesRoom = true): void {
    this.#leave(partition, makesRoom);
    this.#freed.add(partition);
  }

  #leave(partition: number, makesRoom = true): void {
    const slot = this.#owners[partition];
    this.#remember(partition);
    if (slot === undefined) return;
    if (makesRoom && slot.held.size === slot.capacity) this.#vacant.add(slot);
    slot.held.remove(partition);
    this.#owners[partition] = undefined;
    this.#distances[partition] = Infinity;
  }

  #remember(partition: number): void {
    if (!this.#changed.has(partition)) this.#changed.set(partition, this.ownerOf(partition));
  }
}
