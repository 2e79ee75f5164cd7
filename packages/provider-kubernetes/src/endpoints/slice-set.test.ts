import { createSeededRandom } from "@holdfast/testing";
import { createClusterNode, MemberSet, type ClusterNode } from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/adapter";
import { describe, expect, test } from "vitest";
import { kubernetesParamsSchema } from "../kubernetes-params.ts";
import { EndpointSliceReader } from "../wire/endpoint-slice-reader.ts";
import type { SliceContent } from "../wire/slice-content.ts";
import { SliceSet } from "./slice-set.ts";

const readNode = createNodeReader();

interface Parts {
  readonly isIpv6?: boolean;
  readonly skipped?: readonly string[];
  readonly unready?: readonly string[];
  readonly more?: readonly ClusterNode[];
}

const at = (id: string, host: string, isEnding = false): ClusterNode =>
  createClusterNode({ id, host, port: 80, ...(isEnding && { metadata: { terminating: "true" } }) });

function slice(key: string, nodes: readonly ClusterNode[], parts: Parts = {}): SliceContent {
  const { isIpv6 = false, skipped = [], unready, more } = parts;
  return {
    key,
    isIpv6,
    nodes: new Map(nodes.map((node) => [node.id, node])),
    skipped,
    unready: unready && new Set(unready),
    more: more?.map((node) => ({ key: node.id, node })),
  };
}

/** Returns the members of two slices that list the same address without a name, with different ports. */
function showUnnamed(params: object): object {
  const reader = new EndpointSliceReader(
    kubernetesParamsSchema.parse({ service: "db", ...params }),
    readNode,
  );
  const set = new SliceSet({ isPortChosen: "port" in params });
  const put = [80, 9_090].map((port) => {
    const given = {
      addressType: "IPv4",
      endpoints: [{ addresses: ["10.0.0.1"] }],
      ports: [{ name: "p", port }],
    };
    return reader.read(`n/${port}`, given, () => undefined);
  });
  set.apply(put, []);
  return { ids: Array.from(set.nodes(), ({ id }) => id), skipped: set.skipped?.count };
}

const hostOf = (set: SliceSet, id: string): string | undefined => set.get(id)?.host;

describe("a SliceSet", () => {
  test("lists a member once when two endpoint keys have the same node object", () => {
    const shared = createClusterNode({ id: "10.0.0.3:80", host: "10.0.0.3", port: 80 });
    const set = new SliceSet();
    const nodes = new Map([
      ["10.0.0.3", shared],
      ["p", shared],
    ]);
    set.apply([{ ...slice("n/1", []), nodes }], []);
    expect([...set.nodes()]).toEqual([shared]);
    expect(set.get("10.0.0.3:80")).toBe(shared);
  });

  test("rejects more slices and endpoints than a provider may have", () => {
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

  test("changes only the members of the slice that changed", () => {
    const set = new SliceSet();
    set.apply([slice("n/1", [at("a", "1"), at("b", "1")]), slice("n/2", [at("c", "2")])], []);
    const change = set.apply([slice("n/1", [at("b", "1"), at("d", "1")])], []);
    expect(Array.from(change.upsert, ({ id }) => id)).toEqual(["b", "d"]);
    expect(change.remove).toEqual(["a"]);
    expect(set.apply([], ["n/7"])).toMatchObject({ upsert: [], remove: [] });
  });

  test("keeps a member that moves from one slice to another, for both orders of the events", () => {
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
      "that is not terminating, even if it has IPv6 and sorts last",
      slice("n/1", [at("a", "no", true)]),
      slice("n/2", [at("a", "yes")], { isIpv6: true }),
    ],
    [
      "with IPv4, even if it sorts last",
      slice("n/1", [at("a", "no")], { isIpv6: true }),
      slice("n/2", [at("a", "yes")]),
    ],
  ])("with one id in two slices uses the endpoint %s", (_, loser, winner) => {
    for (const order of [
      [loser, winner],
      [winner, loser],
    ]) {
      const set = new SliceSet();
      for (const each of order) set.apply([each], []);
      expect(hostOf(set, "a")).toBe("yes");
      expect(set.apply([], [winner.key])).toMatchObject({ upsert: [{ host: "no" }], remove: [] });
      expect(hostOf(set, "a")).toBe("no");
      expect(set.apply([], [loser.key])).toMatchObject({ upsert: [], remove: ["a"] });
    }
  });

  test("with one address in two slices uses the slice that sorts first", () => {
    const set = new SliceSet();
    const [yes, no] = [true, false].map((isFirst) =>
      createClusterNode({ id: "a", host: "1", port: 80, zone: isFirst ? "yes" : "no" }),
    );
    set.apply([slice("n/2", [no!]), slice("n/1", [yes!])], []);
    expect(set.get("a")).toBe(yes);
  });

  // C2
  test("with one id and two addresses has two members with their addresses as ids, for both orders", () => {
    for (const order of [
      ["n/1", "n/2"],
      ["n/2", "n/1"],
    ]) {
      const set = new SliceSet();
      let members = MemberSet.empty;
      const idsNow = () => Array.from(members, ({ id }) => id);
      const apply = (...change: Parameters<SliceSet["apply"]>) => {
        members = members.apply(set.apply(...change));
      };
      for (const key of order) apply([slice(key, [at("web-0", key)])], []);
      expect(idsNow()).toEqual(["n/1:80", "n/2:80"]);
      expect(set.skipped).toBeUndefined();
      apply([], ["n/1"]);
      expect(idsNow()).toEqual(["web-0"]);
      expect(set.get("web-0")?.host).toBe("n/2");
      apply([], ["n/2"]);
      expect(idsNow()).toEqual([]);
    }
  });

  test("has one member when an address is a key and also an address of another key", () => {
    const set = new SliceSet();
    set.apply([slice("n/1", [at("web-0", "1")]), slice("n/2", [at("web-0", "2"), at("1:80", "1")])], []);
    let members = MemberSet.from(set.nodes());
    expect(Array.from(members, ({ id }) => id)).toEqual(["1:80", "2:80"]);
    members = members.apply(set.apply([slice("n/2", [at("web-0", "2")])], []));
    expect(Array.from(members, ({ id }) => id)).toEqual(["1:80", "2:80"]);
    members = members.apply(set.apply([], ["n/1"]));
    expect(Array.from(members, ({ id }) => id)).toEqual(["web-0"]);
  });

  // B2, C2
  test("with one address and two ports has no member, or one if a port is selected, and counts the others", () => {
    const nodes = [80, 9_090].map((port) => createClusterNode({ id: "a", host: "1", port }));
    for (const isPortChosen of [true, false]) {
      const set = new SliceSet({ isPortChosen });
      set.apply([slice("n/1", [nodes[0]!])], []);
      const change = set.apply([slice("n/2", [nodes[1]!])], []);
      expect(set.get("a")?.port).toBe(isPortChosen ? 80 : undefined);
      const reason = isPortChosen
        ? "another slice has another number for the selected port"
        : "its slices have several ports and none is selected";
      expect(set.skipped).toEqual({ count: 1, reasons: [reason] });
      expect(change.vanished.has("a")).toBe(!isPortChosen);
      set.apply([], ["n/1"]);
      expect([set.get("a")?.port, set.skipped]).toEqual([9_090, undefined]);
    }
  });

  // B2
  test("with an address without a name and with different ports is ambiguous, unless a port is selected", () => {
    expect(showUnnamed({})).toEqual({ ids: [], skipped: 1 });
    expect(showUnnamed({ port: "p" })).toEqual({ ids: ["10.0.0.1:80", "10.0.0.1:9090"], skipped: undefined });
  });

  // H11
  test("distinguishes members that have disappeared from members that are listed but not ready", () => {
    const set = new SliceSet();
    set.apply([slice("n/1", [at("a", "1"), at("b", "2")])], []);
    const change = set.apply([slice("n/1", [], { unready: ["b"] })], []);
    expect(change.remove).toEqual(["a", "b"]);
    expect([...change.vanished]).toEqual([["a", "a"]]);
    expect([change.listed.has("a"), change.listed.has("b")]).toEqual([false, true]);
  });

  test("counts the endpoints that were left out of all current slices", () => {
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
    "after any events has the same members as when all slices are read again (seed %i)",
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
            return at(id, pick(2) === 0 ? id : `${key}-${id}`, pick(3) === 0);
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

/**
 * A separate implementation of the rule in the README: the best of all candidates for each id, and all addresses of
 * these.
 */
function recompute(slices: ReadonlyMap<string, SliceContent>): readonly ClusterNode[] {
  const candidates = [...slices.values()].flatMap(({ key, isIpv6, nodes }) =>
    Array.from(nodes.values(), (node) => ({
      node,
      rank: `${node.metadata["terminating"] === "true" ? 1 : 0} ${isIpv6 ? 1 : 0}`,
      key,
    })),
  );
  return [...Map.groupBy(candidates, ({ node }) => node.id).values()]
    .flatMap((all) => {
      const least = all.map(({ rank }) => rank).toSorted()[0];
      const best = all.filter(({ rank }) => rank === least).toSorted((a, b) => (a.key < b.key ? -1 : 1));
      const byHost = new Map(best.toReversed().map(({ node }) => [node.host, node]));
      if (byHost.size === 1) return [best[0]!.node];
      return [...byHost.values()].map((node) => ({ ...node, id: `${node.host}:${node.port}` }));
    })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}
