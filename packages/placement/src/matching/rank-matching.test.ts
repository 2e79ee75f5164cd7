import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { greedyOwners } from "../../test/greedy-owners.ts";
import type { PlacedNode } from "./node-slot.ts";
import { RankMatching } from "./rank-matching.ts";

const hashes = Int32Array.from({ length: 64 }, (_, partition) => Math.imul(partition + 1, 0x9e3779b1));

const nodes = fc
  .uniqueArray(fc.record({ id: fc.integer({ min: 0, max: 30 }), weight: fc.constantFrom(1, 1, 2, 0.5) }), {
    selector: ({ id }) => id,
    maxLength: 20,
  })
  .map((list) =>
    list
      .map(({ id, weight }): PlacedNode => ({ id: `node-${id}`, weight, zone: undefined }))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  );

const zoned = (id: string, zone: string): PlacedNode => ({ id, weight: 1, zone });
const isAllowed = (_: number, { zone }: PlacedNode) => zone === "a";

// R8.5
describe("RankMatching", () => {
  test("is the stable matching, whatever happened before", () => {
    fc.assert(
      fc.property(
        fc.array(nodes, { minLength: 1, maxLength: 6 }),
        fc.constantFrom(1, 1.1, 1.5),
        (steps, maxLoad) => {
          const matching = new RankMatching({ hashes, maxLoad, isAllowed: undefined });
          let before: readonly (string | undefined)[] = [...hashes].map(() => undefined);
          for (const step of steps) {
            const moved = matching.update(step);
            const owners = [...hashes].map((_, partition) => matching.ownerOf(partition)?.id);
            expect(owners).toEqual(greedyOwners(hashes, step, maxLoad));
            const changed = owners.flatMap((owner, partition) =>
              owner === before[partition] ? [] : [partition],
            );
            expect([...moved].sort((a, b) => a - b)).toEqual(changed);
            before = owners;
          }
        },
      ),
    );
  });

  test("a partition for which no allowed node has room goes to the nearest allowed node, until there is room", () => {
    const matching = new RankMatching({ hashes, maxLoad: 1, isAllowed });
    matching.update([zoned("n1", "a"), zoned("n2", "b"), zoned("n3", "b")]);
    const owners = () => new Set([...hashes].map((_, partition) => matching.ownerOf(partition)?.id));
    expect(owners()).toEqual(new Set(["n1"]));
    matching.update([zoned("n0", "a"), zoned("n1", "a"), zoned("n2", "b"), zoned("n3", "b")]);
    expect(owners()).toEqual(new Set(["n0", "n1"]));
    const fresh = new RankMatching({ hashes, maxLoad: 1, isAllowed });
    fresh.update([zoned("n0", "a"), zoned("n1", "a"), zoned("n2", "b"), zoned("n3", "b")]);
    for (const [partition] of hashes.entries())
      expect(matching.ownerOf(partition)?.id).toBe(fresh.ownerOf(partition)?.id);
  });
});
