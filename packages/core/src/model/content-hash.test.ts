import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createClusterNode, isSameNode, type ClusterNode, type ClusterNodeInput } from "./cluster-node.ts";
import { addSums, EMPTY_SUM, hashNode, toSnapshotHash } from "./content-hash.ts";
import { MemberSet } from "./member-set.ts";
import { createSnapshot } from "./provider-snapshot.ts";
import { canonical, nodeInputs, nodeOf } from "../../test/sample-nodes.ts";

function hashOf(nodes: readonly ClusterNodeInput[], blockedNodes: readonly string[] = []): string {
  const members = MemberSet.from(nodes.map(createClusterNode));
  return createSnapshot({ providerId: "p", members, observedAt: 0, blockedNodes }).hash;
}

/** A canonical text of everything that the hash must distinguish. */
function textOf(nodes: readonly ClusterNodeInput[], blocked: readonly string[]): string {
  return JSON.stringify([nodes.map((node) => canonical(createClusterNode(node))).sort(), blocked.toSorted()]);
}

const base = { id: "a", host: "h", port: 1 } as const;

describe("the content hash", () => {
  test("does not depend on the order of members, tags, metadata and blocked nodes", () => {
    const inputs = fc.uniqueArray(nodeInputs, { selector: (node) => node.id });
    fc.assert(
      fc.property(inputs, fc.uniqueArray(fc.constantFrom("a", "b", "ab")), (nodes, blocked) => {
        const turned = nodes.toReversed().map((node) => ({
          ...node,
          tags: node.tags?.toReversed(),
          metadata: node.metadata && Object.fromEntries(Object.entries(node.metadata).toReversed()),
        }));
        // R2.3
        expect(hashOf(turned, blocked.toReversed())).toBe(hashOf(nodes, blocked));
      }),
    );
  });

  test("is equal exactly when the content is equal, after any small edit", () => {
    const topology = fc.record({
      nodes: fc.uniqueArray(nodeInputs, { selector: (node) => node.id, minLength: 1 }),
      blocked: fc.uniqueArray(fc.constantFrom("a", "b", "ab")),
    });
    const edit = fc.record({
      at: fc.nat(),
      field: fc.constantFrom("id", "host", "port", "zone", "weight", "tags", "metadata", "blocked" as const),
      from: nodeInputs,
      blocked: fc.subarray(["a", "b", "ab"]),
    });
    let equal = 0;
    fc.assert(
      fc.property(topology, edit, ({ nodes, blocked }, { at, field, from, blocked: otherBlocked }) => {
        const after = nodes.map((node, i) =>
          i === at % nodes.length && field !== "blocked" ? { ...node, [field]: from[field] } : node,
        );
        fc.pre(new Set(after.map((node) => node.id)).size === after.length);
        const afterBlocked = field === "blocked" ? otherBlocked : blocked;
        const isEqual = textOf(nodes, blocked) === textOf(after, afterBlocked);
        if (isEqual) equal++;
        // R2.3
        expect(hashOf(nodes, blocked) === hashOf(after, afterBlocked)).toBe(isEqual);
      }),
      { numRuns: 3_000 },
    );
    expect(equal).toBeGreaterThan(100);
  });

  test("of one node agrees with the comparison field by field", () => {
    fc.assert(
      fc.property(nodeInputs, nodeInputs, (first, second) => {
        const a = createClusterNode(first);
        const b = createClusterNode({ ...second, id: first.id });
        expect(toSnapshotHash(hashNode(a)) === toSnapshotHash(hashNode(b))).toBe(isSameNode(a, b));
      }),
      { numRuns: 5_000 },
    );
  });

  test.each<[string, ClusterNodeInput]>([
    ["id", { ...base, id: "b" }],
    ["host", { ...base, host: "i" }],
    ["port", { ...base, port: 2 }],
    ["a zone", { ...base, zone: "z" }],
    ["a weight", { ...base, weight: 0 }],
    ["another weight", { ...base, weight: 0.1 }],
    ["a tag", { ...base, tags: ["z"] }],
    ["an empty tag", { ...base, tags: [""] }],
    ["metadata", { ...base, metadata: { z: "" } }],
    ["id and host swapped", { ...base, id: "h", host: "a" }],
    ["a character moved from id to host", { ...base, id: "", host: "ah" }],
  ])("changes with %s", (_, changed) => {
    expect(hashOf([changed])).not.toBe(hashOf([base]));
  });

  test("does not confuse one field with another", () => {
    const variants: readonly ClusterNodeInput[] = [
      { ...base, zone: "x" },
      { ...base, tags: ["x"] },
      { ...base, metadata: { x: "" } },
      { ...base, metadata: { "": "x" } },
      { ...base, tags: ["ab"] },
      { ...base, tags: ["a", "b"] },
      { ...base, tags: ["", "ab"] },
      { ...base, tags: ["a\u0000b"] },
      { ...base, metadata: { a: "b" } },
      { ...base, metadata: { b: "a" } },
      { ...base, metadata: { ab: "" } },
      { ...base, metadata: { a: "b", c: "d" } },
      { ...base, metadata: { a: "d", c: "b" } },
      { ...base, metadata: { a: "a", b: "b" } },
      { ...base, metadata: { a: "b", b: "a" } },
      { ...base, tags: ["a"], metadata: { b: "" } },
      { ...base, tags: ["b"], metadata: { a: "" } },
      { ...base, tags: ["1"] },
      { ...base, weight: 1 },
      { ...base, zone: "1" },
      { ...base, weight: 11 },
      { ...base, port: 11 },
    ];
    expect(new Set(variants.map((variant) => hashOf([variant]))).size).toBe(variants.length);
  });

  test("does not confuse one node with another", () => {
    const one = [
      { ...base, id: "a", host: "x" },
      { ...base, id: "b", host: "y" },
    ];
    const other = [
      { ...base, id: "a", host: "y" },
      { ...base, id: "b", host: "x" },
    ];
    expect(hashOf(one)).not.toBe(hashOf(other));
    expect(hashOf([base, { ...base, id: "b" }], ["a"])).not.toBe(hashOf([base, { ...base, id: "b" }], ["b"]));
    expect(hashOf([base], ["a"])).not.toBe(hashOf([base]));
    expect(hashOf([base], ["h"])).not.toBe(hashOf([base], ["a"]));
    // A blocked node must not hash like a member with the same id.
    expect(hashOf([], ["a"])).not.toBe(hashOf([base]));
  });

  test("is 16 hexadecimal digits, the same on every machine and in every version", () => {
    // The hash is stored and compared across processes, so a change of the algorithm must be noticed.
    expect(toSnapshotHash(EMPTY_SUM)).toBe("0000000000000000");
    const node = { ...base, zone: "z", weight: 2.5, tags: ["t", "s"], metadata: { k: "v", é: "\u{1f600}" } };
    expect(hashOf([node])).toMatchInlineSnapshot(`"8a4e638d1a618c9a"`);
    expect(hashOf([node, { ...base, id: "b" }], ["a"])).toMatchInlineSnapshot(`"88fbd06dcd7cff85"`);
    fc.assert(fc.property(nodeInputs, (input) => /^[0-9a-f]{16}$/.test(hashOf([input]))));
  });

  test("has no collision among 1.2 million similar nodes, and is evenly distributed", () => {
    const EACH = 200_000;
    const hashes = new BigUint64Array(6 * EACH);
    let filled = 0;
    const take = (node: ClusterNode) => {
      const { high, low } = hashNode(node);
      hashes[filled++] = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    };
    const plain = nodeOf(0);
    for (let i = 0; i < EACH; i++) {
      take({ ...plain, id: `node-${i + 1}` });
      take({ ...plain, host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}` });
      take({ ...plain, zone: String.fromCharCode(i & 0xffff, i >> 16) });
      take({ ...plain, port: i + 10_000, weight: 1 });
      take({ ...plain, tags: [`a${i >> 8}`, `b${i & 255}`] });
      take({ ...plain, metadata: { [`k${i & 511}`]: `v${i >> 9}`, version: "1" } });
    }
    hashes.sort();
    expect(hashes.some((hash, i) => i > 0 && hash === hashes[i - 1])).toBe(false);

    // Each half alone is a 32-bit hash, for which n*n/2/2^32 = 168 collisions are expected, plus or minus 13.
    const halves = [(hash: bigint) => Number(hash >> 32n), (hash: bigint) => Number(hash & 0xffff_ffffn)];
    for (const half of halves) {
      const words = Uint32Array.from(hashes, half).sort();
      const collisions = words.filter((word, i) => i > 0 && word === words[i - 1]).length;
      expect(collisions).toBeGreaterThan(168 - 6 * 13);
      expect(collisions).toBeLessThan(168 + 6 * 13);
    }
    // Chi-square over 256 buckets of each byte: 255 degrees of freedom, standard deviation 22.6.
    for (let shift = 0n; shift < 64n; shift += 8n) {
      const buckets = new Float64Array(256);
      for (const hash of hashes) buckets[Number((hash >> shift) & 255n)]!++;
      const expected = hashes.length / 256;
      const chi = buckets.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      expect(chi).toBeLessThan(255 + 6 * 22.6);
    }
  });

  test("flips every bit half of the time when one character changes", () => {
    const SAMPLES = 4_000;
    const flips = new Float64Array(64);
    for (let i = 0; i < SAMPLES; i++) {
      const before = hashNode(nodeOf(i));
      const { host } = nodeOf(i);
      const at = i % host.length;
      const other = String.fromCharCode(host.charCodeAt(at) ^ (1 << (i % 7)));
      const after = hashNode({ ...nodeOf(i), host: host.slice(0, at) + other + host.slice(at + 1) });
      for (let bit = 0; bit < 32; bit++) {
        flips[bit]! += ((before.high ^ after.high) >>> bit) & 1;
        flips[bit + 32]! += ((before.low ^ after.low) >>> bit) & 1;
      }
    }
    // Within six standard deviations of a fair coin.
    for (const count of flips)
      expect(Math.abs(count / SAMPLES - 0.5)).toBeLessThan(0.5 * (6 / Math.sqrt(SAMPLES)));
  });

  test("of a whole topology does not collide through its sum", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 300; i++) {
      for (let j = 0; j < 300; j++) {
        seen.add(toSnapshotHash(addSums(hashNode(nodeOf(1, i)), hashNode(nodeOf(2, j)))));
      }
    }
    expect(seen.size).toBe(300 * 300);
  });
});
