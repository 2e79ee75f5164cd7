import { hashText, ProvisioningError, type ClusterNode, type NodeId } from "@holdfast/core";
import { Assignment } from "./assignment.ts";
import type { PlacedNode } from "./matching/node-slot.ts";
import { RankMatching } from "./matching/rank-matching.ts";

export interface AssignerOptions {
  /** Fixed number of partitions, 1 to 65536. Every process must use the same one. */
  readonly partitions: number;
  /** Number of nodes that hold each partition, the owner included; 1 to 16. @defaultValue 1 */
  readonly copies?: number | undefined;
  /** A node holds at most this multiple of its share by weight, rounded up, or one more than its share; at least 1. @defaultValue 1.5 */
  readonly maxLoad?: number | undefined;
}

/** The largest number of partitions. */
export const MAX_PARTITIONS = 65_536;
/** The largest number of nodes that hold a partition. */
export const MAX_COPIES = 16;
/** The range of weights; others count as the nearest one in it. */
const WEIGHTS = { least: 1e-9, most: 1e9 };

/**
 * Computes which nodes hold which partitions: weighted rendezvous hashing with bounded loads. The result depends only on the nodes and
 * the options, so every process with the same snapshot computes the same. After the first call, the cost is in proportion to
 * what has changed.
 *
 * With several copies, the nodes of a partition are in different zones, as far as there are enough zones.
 */
export class Assigner {
  readonly #partitions: number;
  readonly #ranks: readonly RankMatching[];
  #owners: readonly (readonly (NodeId | undefined)[])[];
  #zones = 0;

  /** Throws `VALIDATION_MALFORMED` for an option out of its range. */
  constructor(options: AssignerOptions) {
    const { partitions, copies = 1, maxLoad = 1.5 } = options;
    checkInteger("partitions", partitions, MAX_PARTITIONS);
    checkInteger("copies", copies, MAX_COPIES);
    if (!(maxLoad >= 1 && maxLoad < Infinity)) throw toRangeError("maxLoad", "a number of at least 1");
    this.#partitions = partitions;
    const hashes = Int32Array.from({ length: partitions }, (_, partition) => hashPartition(partition));
    this.#ranks = Array.from(
      { length: copies },
      (_, rank) =>
        new RankMatching({
          hashes,
          maxLoad,
          isAllowed: rank === 0 ? undefined : (partition, node) => this.#isAllowedAt(rank, partition, node),
        }),
    );
    this.#owners = this.#ranks.map(() => Array.from({ length: partitions }));
  }

  /** Nodes with the weight 0 hold nothing; a node without a weight has the weight 1. The order of the nodes does not matter. */
  assign(members: Iterable<ClusterNode>): Assignment {
    const nodes = toPlacedNodes(members);
    const zones = new Set(nodes.map(({ zone }) => zone)).size;
    const changed = new Set<number>();
    // The rule about zones changes for the ranks from the smaller number of zones on.
    const firstRelaxed = zones === this.#zones ? Infinity : Math.min(zones, this.#zones);
    this.#zones = zones;
    const owners = this.#ranks.map((matching, rank) => {
      const reconsidered = rank >= firstRelaxed ? allBelow(this.#partitions) : changed;
      const moved = matching.update(nodes, rank === 0 ? [] : [...reconsidered]);
      for (const partition of moved) changed.add(partition);
      return withMoved(this.#owners[rank]!, moved, matching);
    });
    this.#owners = owners;
    return new Assignment(owners);
  }

  #isAllowedAt(rank: number, partition: number, { id, zone }: PlacedNode): boolean {
    for (let lower = 0; lower < rank; lower++) {
      const owner = this.#ranks[lower]!.ownerOf(partition);
      if (owner === undefined) continue;
      if (owner.id === id || (rank < this.#zones && owner.zone === zone)) return false;
    }
    return true;
  }
}

/** The partition of a key, 0 to `partitions` - 1; the same in every process. */
export function partitionOf(key: string, partitions: number): number {
  return Math.floor(((hashText(key).high >>> 0) * partitions) / 2 ** 32);
}

function hashPartition(partition: number): number {
  const { high, low } = hashText(`partition/${partition}`);
  return high ^ low;
}

function toPlacedNodes(members: Iterable<ClusterNode>): readonly PlacedNode[] {
  const nodes: PlacedNode[] = [];
  for (const { id, weight = 1, zone } of members) {
    if (!(weight > 0)) continue;
    nodes.push({ id, weight: Math.min(Math.max(weight, WEIGHTS.least), WEIGHTS.most), zone });
  }
  return nodes.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function withMoved(
  owners: readonly (NodeId | undefined)[],
  moved: readonly number[],
  matching: RankMatching,
): readonly (NodeId | undefined)[] {
  if (moved.length === 0) return owners;
  const next = [...owners];
  for (const partition of moved) next[partition] = matching.ownerOf(partition)?.id;
  return next;
}

function* allBelow(count: number): Generator<number, void> {
  for (let number = 0; number < count; number++) yield number;
}

function checkInteger(name: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  throw toRangeError(name, `an integer from 1 to ${most}`);
}

function toRangeError(name: string, expected: string): ProvisioningError {
  return new ProvisioningError("VALIDATION_MALFORMED", `${name} must be ${expected}`, {
    details: { path: name, expected },
  });
}
