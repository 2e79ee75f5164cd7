import * as fc from "fast-check";
import { describe, expect, inject, test } from "vitest";
import { nodes } from "../../test/scripted-topology.ts";
import { SubsetSelector } from "./select-subset.ts";

const idsOf = (selected: readonly { readonly id: string }[]) => selected.map(({ id }) => id);

const isLocal = ({ zone }: { readonly zone?: string | undefined }) => zone === "a";

/** How many of the clients have each node in their subset: the lowest and the highest, in shares of the mean. */
function spreadOf(members: number, size: number, clients: number): { lowest: number; highest: number } {
  const all = nodes(members);
  const counts = new Map(all.map(({ id }) => [id, 0]));
  for (let i = 0; i < clients; i++) {
    const subset = new SubsetSelector(size, `client-${i}`).select(all);
    for (const { id } of subset) counts.set(id, counts.get(id)! + 1);
  }
  const mean = (clients * size) / members;
  const shares = [...counts.values()].map((count) => count / mean);
  return { lowest: Math.min(...shares), highest: Math.max(...shares) };
}

describe("SubsetSelector", () => {
  test("takes all nodes of a small set, and `size` of a large one, sorted by id", () => {
    const all = nodes(30);
    expect(new SubsetSelector(30, "client").select(all)).toBe(all);
    const subset = new SubsetSelector(7, "client").select(all);
    expect(subset).toHaveLength(7);
    expect(idsOf(subset)).toEqual(idsOf(subset).sort());
  });

  test("takes the same nodes for the same client, and others for another", () => {
    // R8.1
    const all = nodes(300);
    const select = (clientId: string) => idsOf(new SubsetSelector(20, clientId).select(all));
    expect(select("a")).toEqual(select("a"));
    expect(select("a")).not.toEqual(select("b"));
  });

  test("changes at most one place when one node leaves or joins", () => {
    // R8.1
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 80 }),
        fc.integer({ min: 1, max: 20 }),
        fc.string(),
        fc.nat(),
        (count, size, clientId, at) => {
          const all = nodes(count);
          const without = all.filter((_, i) => i !== at % count);
          const selector = new SubsetSelector(size, clientId);
          const before = new Set(selector.select(all));
          const after = new Set(selector.select(without));
          const left = [...before].filter((each) => !after.has(each));
          const joined = [...after].filter((each) => !before.has(each));
          // Nothing changes unless the node that left was in the subset.
          expect(idsOf(left)).toEqual(before.has(all[at % count]!) ? [all[at % count]!.id] : []);
          expect(joined.length).toBeLessThanOrEqual(left.length);
          expect(new Set(selector.select(all))).toEqual(before);
        },
      ),
    );
  });

  test("with a zone, takes up to `size` local nodes and up to `size` others, each group on its own", () => {
    const all = nodes(100, (i) => ({ zone: i % 4 === 0 ? "a" : "b" }));
    const subset = new SubsetSelector(10, "client").select(all, isLocal);
    expect(subset.filter(isLocal)).toHaveLength(10);
    expect(subset).toHaveLength(20);
    const withoutOther = all.filter((each) => each !== subset.find((one) => !isLocal(one)));
    const after = new SubsetSelector(10, "client").select(withoutOther, isLocal);
    expect(after.filter(isLocal)).toEqual(subset.filter(isLocal));
  });

  test("spreads many clients evenly over the nodes", () => {
    // R8.1: each node is in 200 subsets on average. Chance gives a deviation of 7%, and the most extreme of 1,000 is about 23% off.
    const isLong = inject("isLong");
    const { lowest, highest } = isLong ? spreadOf(1_000, 20, 10_000) : spreadOf(100, 10, 2_000);
    expect(lowest).toBeGreaterThan(0.75);
    expect(highest).toBeLessThan(1.25);
  });
});
