import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSameNode, type ClusterNode } from "./cluster-node.ts";
import { diffMembers, type MemberDelta } from "./member-diff.ts";
import { MemberSet } from "./member-set.ts";
import { nodeOf } from "../../test/sample-nodes.ts";

function naiveDiff(before: MemberSet, after: MemberSet): MemberDelta {
  const was = new Map([...before].map((node) => [node.id, node]));
  const is = new Map([...after].map((node) => [node.id, node]));
  const both = [...after].filter((node) => was.has(node.id));
  return {
    added: [...after].filter((node) => !was.has(node.id)),
    updated: both
      .map((node) => ({ before: was.get(node.id)!, after: node }))
      .filter((update) => !isSameNode(update.before, update.after)),
    removed: [...before].filter((node) => !is.has(node.id)),
  };
}

const SIZE = 1_500;
const edits = fc.array(
  fc.record({
    from: fc.nat({ max: SIZE }),
    length: fc.oneof(fc.constant(1), fc.nat({ max: 700 })),
    every: fc.constantFrom(1, 1, 3),
    version: fc.option(fc.nat({ max: 2 })),
  }),
  { maxLength: 4 },
);

function edit(set: MemberSet, list: typeof edits extends fc.Arbitrary<infer T> ? T : never): MemberSet {
  return list.reduce((current, { from, length, every, version }) => {
    const numbers = Array.from({ length: Math.ceil(length / every) }, (_, i) => from + i * every);
    const nodes = numbers.map((n) => nodeOf(n, version ?? 0));
    return current.apply(version === null ? { remove: nodes.map((node) => node.id) } : { upsert: nodes });
  }, set);
}

function rebuilt(set: MemberSet): MemberSet {
  return MemberSet.from([...set].map((node) => ({ ...node, metadata: { ...node.metadata } })));
}

describe("diffMembers", () => {
  test("finds the same as a naive comparison, with and without shared structure", () => {
    fc.assert(
      fc.property(edits, edits, fc.boolean(), (first, second, isShared) => {
        const base = edit(MemberSet.from(Array.from({ length: SIZE }, (_, i) => nodeOf(i * 2))), first);
        const edited = edit(base, second);
        const after = isShared ? edited : rebuilt(edited);
        for (const [a, b] of [
          [base, after],
          [after, base],
          [MemberSet.empty, after],
          [after, MemberSet.empty],
        ] as const) {
          const delta = diffMembers(a, b);
          expect(delta).toEqual(naiveDiff(a, b));
          const upsert = [...delta.added, ...delta.updated.map((update) => update.after)];
          const applied = a.apply({ upsert, remove: delta.removed.map((node) => node.id) });
          expect(applied.sum).toEqual(b.sum);
          expect(applied.toArray()).toEqual(b.toArray());
        }
      }),
      { numRuns: 150 },
    );
  });

  test("is empty between equal content in different objects", () => {
    const set = MemberSet.from(Array.from({ length: 1_000 }, (_, i) => nodeOf(i)));
    expect(diffMembers(set, set)).toEqual({ added: [], updated: [], removed: [] });
    expect(diffMembers(set, rebuilt(set))).toEqual({ added: [], updated: [], removed: [] });
  });

  test("reads only chunks that are not shared", () => {
    let reads = 0;
    const counted = (node: ClusterNode): ClusterNode =>
      Object.defineProperty({ ...node }, "id", { enumerable: true, get: () => (reads++, node.id) });
    const before = MemberSet.from(Array.from({ length: 10_000 }, (_, i) => counted(nodeOf(i))));
    const after = before
      .apply({ upsert: [counted(nodeOf(100, 1))] })
      .apply({ upsert: [counted(nodeOf(20_000))], remove: [nodeOf(5_000).id] });
    reads = 0;
    const delta = diffMembers(before, after);
    expect([delta.added.length, delta.updated.length, delta.removed.length]).toEqual([1, 1, 1]);
    // Three chunks of 256 nodes, with a few reads per node.
    expect(reads).toBeLessThan(10 * 3 * 256);
  });
});
