import { hashText } from "@holdfast/core";
import type { PlacedNode } from "../src/matching/node-slot.ts";
import { distanceOf, drawOf } from "../src/matching/pair-distance.ts";

/** The stable matching by its definition: takes all pairs by distance, as long as the node has room. Returns the ids of the owners. */
export function greedyOwners(
  hashes: Int32Array,
  nodes: readonly PlacedNode[],
  maxLoad: number,
): readonly (string | undefined)[] {
  const total = nodes.reduce((sum, { weight }) => sum + weight, 0);
  const room = new Map(
    nodes.map(({ id, weight }) => {
      const share = (hashes.length * weight) / total;
      return [id, Math.max(Math.ceil(maxLoad * share), Math.ceil(share) + 1)];
    }),
  );
  const pairs = [...hashes].flatMap((hash, partition) =>
    nodes.map(({ id, weight }) => {
      const { high, low } = hashText(id);
      return { partition, id, distance: distanceOf(drawOf(hash, high ^ low), weight) };
    }),
  );
  pairs.sort(
    (a, b) => a.distance - b.distance || (a.id < b.id ? -1 : a.id > b.id ? 1 : a.partition - b.partition),
  );
  const owners: (string | undefined)[] = Array.from({ length: hashes.length });
  for (const { partition, id } of pairs) {
    if (owners[partition] !== undefined || room.get(id) === 0) continue;
    owners[partition] = id;
    room.set(id, room.get(id)! - 1);
  }
  return owners;
}
