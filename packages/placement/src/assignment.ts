import type { NodeId } from "@holdfast/core";

/** A change of one owner between two assignments. */
export interface Move {
  readonly partition: number;
  /** 0 for the owner, 1 for the first replica, and so on. */
  readonly rank: number;
  /** Undefined when nothing held the partition at this rank. */
  readonly from: NodeId | undefined;
  readonly to: NodeId | undefined;
}

/** The nodes that hold each partition. Immutable. */
export class Assignment {
  /** For each rank, the node of each partition. */
  readonly #ranks: readonly (readonly (NodeId | undefined)[])[];
  #byNode: ReadonlyMap<NodeId, readonly number[]> | undefined;

  /** @internal Use `Assigner`. */
  constructor(ranks: readonly (readonly (NodeId | undefined)[])[]) {
    this.#ranks = ranks;
  }

  /** Number of partitions. */
  get partitions(): number {
    return this.#ranks[0]!.length;
  }

  /** The owner of a partition; undefined when there are no nodes. */
  ownerOf(partition: number): NodeId | undefined {
    return this.#ranks[0]![partition];
  }

  /** The owner, then the replicas. Shorter when there are fewer nodes than replicas. */
  nodesOf(partition: number): readonly NodeId[] {
    return this.#ranks.flatMap((owners) => owners[partition] ?? []);
  }

  /** The partitions that a node owns, in ascending order. */
  partitionsOf(nodeId: NodeId): readonly number[] {
    this.#byNode ??= groupByOwner(this.#ranks[0]!);
    return this.#byNode.get(nodeId) ?? [];
  }

  /** The changes that lead from an earlier assignment to this one, by partition, then by rank. */
  movesFrom(earlier: Assignment): readonly Move[] {
    const moves: Move[] = [];
    for (let partition = 0; partition < Math.max(this.partitions, earlier.partitions); partition++) {
      for (let rank = 0; rank < Math.max(this.#ranks.length, earlier.#ranks.length); rank++) {
        const from = earlier.#ranks[rank]?.[partition];
        const to = this.#ranks[rank]?.[partition];
        if (from !== to) moves.push({ partition, rank, from, to });
      }
    }
    return moves;
  }
}

function groupByOwner(owners: readonly (NodeId | undefined)[]): ReadonlyMap<NodeId, readonly number[]> {
  const groups = new Map<NodeId, number[]>();
  for (const [partition, owner] of owners.entries()) {
    if (owner === undefined) continue;
    const group = groups.get(owner);
    if (group === undefined) groups.set(owner, [partition]);
    else group.push(partition);
  }
  return groups;
}
