import { createSeededRandom } from "@holdfast/conformance";
import { createClusterNode, MemberSet, type ClusterNode } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import type { SliceContent } from "./endpoint-slice.ts";
import { SliceSet } from "./slice-set.ts";

interface Parts {
  readonly isIpv6?: boolean;
  readonly skipped?: readonly string[];
}

const at = (id: string, host: string, isEnding = false): ClusterNode =>
  createClusterNode({ id, host, port: 80, ...(isEnding && { metadata: { terminating: "true" } }) });

function slice(key: string, nodes: readonly ClusterNode[], parts: Parts = {}): SliceContent {
  const { isIpv6 = false, skipped = [] } = parts;
  return { key, isIpv6, nodes: new Map(nodes.map((node) => [node.id, node])), skipped };
}

const hostOf = (set: SliceSet, id: string): string | undefined => set.get(id)?.host;

describe("a SliceSet", () => {
  test("refuses more slices and endpoints than any provider may have", () => {
    const set = new SliceSet();
    const skipped = Array.from({ length: 499_999 }, () => "it is malformed");
    set.apply([slice("n/1", [], { skipped }), slice("n/2", [], { skipped })], []);
    set.apply([slice("n/2", [], { skipped })], []);
    const more = () => set.apply([slice("n/3", [])], []);
    expect(more).toThrow(
      expect.objectContaining({ code: "STREAM_INVALID_DATA", details: { maxMembers: 1_000_000 } }),
    );
  });

  test("joins the members of all slices", () => {
    const set = new SliceSet();
    const change = set.apply([slice("n/1", [at("a", "1")]), slice("n/2", [at("b", "2")])], []);
    expect(Array.from(change.upsert, ({ id }) => id)).toEqual(["a", "b"]);
    expect(change.remove).toEqual([]);
    expect([...set.keys]).toEqual(["n/1", "n/2"]);
    expect(Array.from(set.nodes(), ({ id }) => id)).toEqual(["a", "b"]);
  });

  test("touches what one slice held or holds, and nothing else", () => {
    const set = new SliceSet();
    set.apply([slice("n/1", [at("a", "1"), at("b", "1")]), slice("n/2", [at("c", "2")])], []);
    const change = set.apply([slice("n/1", [at("b", "1"), at("d", "1")])], []);
    expect(Array.from(change.upsert, ({ id }) => id)).toEqual(["b", "d"]);
    expect(change.remove).toEqual(["a"]);
    expect(set.apply([], ["n/7"])).toEqual({ upsert: [], remove: [] });
  });

  test("keeps a member that moves from one slice to another, whichever event comes first", () => {
    for (const isPutFirst of [true, false]) {
      const set = new SliceSet();
      let members = MemberSet.empty.apply(set.apply([slice("n/1", [at("a", "1")])], []));
      const put = () => set.apply([slice("n/2", [at("a", "1")])], []);
      const drop = () => set.apply([slice("n/1", [])], []);
      for (const step of isPutFirst ? [put, drop] : [drop, put]) members = members.apply(step());
      expect(Array.from(members, ({ id }) => id)).toEqual(["a"]);
    }
  });

  test.each<[string, SliceContent, SliceContent]>([
    [
      "that does not terminate, though it be IPv6 and sort last",
      slice("n/1", [at("a", "no", true)]),
      slice("n/2", [at("a", "yes")], { isIpv6: true }),
    ],
    [
      "of IPv4, though it sort last",
      slice("n/1", [at("a", "no")], { isIpv6: true }),
      slice("n/2", [at("a", "yes")]),
    ],
    ["that sorts first", slice("n/2", [at("a", "no")]), slice("n/1", [at("a", "yes")])],
  ])("of one id in two slices shows the one %s", (_, loser, winner) => {
    for (const order of [
      [loser, winner],
      [winner, loser],
    ]) {
      const set = new SliceSet();
      for (const each of order) set.apply([each], []);
      expect(hostOf(set, "a")).toBe("yes");
      expect(set.apply([], [winner.key])).toMatchObject({ upsert: [{ host: "no" }], remove: [] });
      expect(hostOf(set, "a")).toBe("no");
      expect(set.apply([], [loser.key])).toEqual({ upsert: [], remove: ["a"] });
    }
  });

  test("counts what was left out of all slices, and no longer what has gone", () => {
    const set = new SliceSet();
    expect(set.skipped).toBeUndefined();
    set.apply([slice("n/1", [], { skipped: ["x", "y"] }), slice("n/2", [], { skipped: ["x"] })], []);
    expect(set.skipped).toEqual({ count: 3, reasons: ["x", "y"] });
    set.apply([slice("n/1", [])], []);
    expect(set.skipped).toEqual({ count: 1, reasons: ["x"] });
    set.apply([], ["n/2"]);
    expect(set.skipped).toBeUndefined();
  });

  test.each(Array.from({ length: 50 }, (_, seed) => seed))(
    "after any events has the members that the slices have when read anew (seed %i)",
    (seed) => {
      const random = createSeededRandom(seed);
      const pick = (count: number): number => Math.floor(random() * count);
      const set = new SliceSet();
      const truth = new Map<string, SliceContent>();
      let members = MemberSet.empty;
      for (let step = 0; step < 60; step++) {
        const put: SliceContent[] = [];
        const removed: string[] = [];
        for (let i = pick(4); i >= 0; i--) {
          const key = `n/${pick(6)}`;
          if (put.some((each) => each.key === key) || removed.includes(key)) continue;
          if (pick(4) === 0) {
            removed.push(key);
            truth.delete(key);
            continue;
          }
          const nodes = Array.from({ length: pick(6) }, () => {
            const id = `pod-${pick(12)}`;
            return at(id, `${key}-${id}`, pick(3) === 0);
          });
          const content = slice(key, nodes, { isIpv6: pick(3) === 0, skipped: pick(5) === 0 ? ["x"] : [] });
          put.push(content);
          truth.set(key, content);
        }
        members = members.apply(set.apply(put, removed));
        expect(Array.from(members)).toEqual(recompute(truth));
        expect(set.skipped?.count ?? 0).toBe(
          [...truth.values()].reduce((sum, { skipped }) => sum + skipped.length, 0),
        );
        expect(MemberSet.from(set.nodes()).sum).toEqual(members.sum);
      }
    },
  );
});

/** The rule of the README, said another way: the least of all candidates for each id. */
function recompute(slices: ReadonlyMap<string, SliceContent>): readonly ClusterNode[] {
  const candidates = [...slices.values()].flatMap(({ key, isIpv6, nodes }) =>
    Array.from(nodes.values(), (node) => ({
      node,
      rank: `${node.metadata["terminating"] === "true" ? 1 : 0} ${isIpv6 ? 1 : 0} ${key}`,
    })),
  );
  const byId = Map.groupBy(candidates, ({ node }) => node.id);
  return [...byId]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, all]) => all.toSorted((a, b) => (a.rank < b.rank ? -1 : 1))[0]!.node);
}
