import * as fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { ClusterNode } from "./cluster-node.ts";
import { MemberSet } from "./member-set.ts";
import {
  createSnapshot,
  diffSnapshots,
  type ProviderSnapshot,
  type SnapshotDelta,
} from "./provider-snapshot.ts";
import { idOf, nodeOf } from "../../test/sample-nodes.ts";

const members = MemberSet.from([nodeOf(2), nodeOf(1), nodeOf(3)]);

function snapshotOf(numbers: readonly number[], blocked: readonly number[]): ProviderSnapshot {
  return createSnapshot({
    providerId: "p",
    members: MemberSet.from(numbers.map((n) => nodeOf(n))),
    observedAt: 0,
    blockedNodes: blocked.map(idOf),
  });
}

function without(some: readonly number[], others: readonly number[]): readonly string[] {
  return some
    .filter((n) => !others.includes(n))
    .map(idOf)
    .sort();
}

describe("createSnapshot", () => {
  test("sorts the blocked nodes, removes duplicates and does not change its input", () => {
    const given = ["b", "a", "b"];
    const snapshot = createSnapshot({ providerId: "p", members, observedAt: 5, blockedNodes: given });
    expect(snapshot.blockedNodes).toEqual(["a", "b"]);
    expect(given).toEqual(["b", "a", "b"]);
    expect(snapshot).toMatchObject({ providerId: "p", members, observedAt: 5 });
  });

  test("hashes only the content, not the provider, time or revision", () => {
    const one = createSnapshot({ providerId: "p", members, observedAt: 5 });
    const other = createSnapshot({
      providerId: "q",
      members: MemberSet.from([nodeOf(3), nodeOf(1), nodeOf(2)]),
      observedAt: 6,
      revision: "7",
      stalenessMs: 8,
      skipped: { count: 1, reasons: ["x"] },
    });
    // R2.3
    expect(other.hash).toBe(one.hash);
    expect(other).toMatchObject({ revision: "7", stalenessMs: 8, skipped: { count: 1 } });
  });

  test("blocking a node changes the hash, and unblocking it restores the old one", () => {
    const free = createSnapshot({ providerId: "p", members, observedAt: 0 });
    const blocked = createSnapshot({ providerId: "p", members, observedAt: 0, blockedNodes: [idOf(1)] });
    expect(blocked.hash).not.toBe(free.hash);
    expect(createSnapshot({ ...blocked, blockedNodes: [] }).hash).toBe(free.hash);
  });
});

describe("diffSnapshots", () => {
  test("finds blocked and unblocked nodes in addition to changed members", () => {
    const ids = fc.uniqueArray(fc.nat({ max: 6 }));
    fc.assert(
      fc.property(ids, ids, ids, ids, (a, aBlocked, b, bBlocked) => {
        const delta = diffSnapshots(snapshotOf(a, aBlocked), snapshotOf(b, bBlocked));
        expect(delta.blocked).toEqual(without(bBlocked, aBlocked));
        expect(delta.unblocked).toEqual(without(aBlocked, bBlocked));
        expect(delta.added.map((node) => node.id)).toEqual(without(b, a));
        expect(delta.removed.map((node) => node.id)).toEqual(without(a, b));
        expect(delta.updated).toEqual([]);
      }),
    );
  });
});

test("snapshots and deltas are read-only", () => {
  expectTypeOf<ProviderSnapshot["blockedNodes"]>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<SnapshotDelta["added"]>().toEqualTypeOf<readonly ClusterNode[]>();
  expectTypeOf<ProviderSnapshot>().toEqualTypeOf<Readonly<ProviderSnapshot>>();
});
