import * as fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { createClusterNode, isSameNode, type ClusterNode, type ClusterNodeInput } from "./cluster-node.ts";
import { canonical, nodeInputs } from "../../test/sample-nodes.ts";

const base: ClusterNodeInput = { id: "a", host: "h", port: 1 };

describe("createClusterNode", () => {
  test("sorts tags, removes duplicates and does not change its input", () => {
    const tags = ["b", "a", "b"];
    expect(createClusterNode({ ...base, tags }).tags).toEqual(["a", "b"]);
    expect(tags).toEqual(["b", "a", "b"]);
    expect(createClusterNode({ ...base, tags: ["a", "a"] }).tags).toEqual(["a"]);
  });

  test("fills in empty tags and metadata", () => {
    expect(createClusterNode(base)).toEqual({
      id: "a",
      host: "h",
      port: 1,
      zone: undefined,
      weight: undefined,
      tags: [],
      metadata: {},
    });
  });

  test("keeps any number of metadata entries", () => {
    for (const count of [0, 1, 16, 17, 18, 500]) {
      const metadata = Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, `v${i}`]));
      expect(createClusterNode({ ...base, metadata }).metadata).toEqual(metadata);
    }
  });
});

describe("isSameNode", () => {
  test("compares the content and nothing else", () => {
    fc.assert(
      fc.property(nodeInputs, nodeInputs, (first, second) => {
        const a = createClusterNode(first);
        const b = createClusterNode({ ...second, id: first.id, host: first.host, port: first.port });
        expect(isSameNode(a, b)).toBe(canonical(a) === canonical(b));
        expect(isSameNode(b, a)).toBe(isSameNode(a, b));
        expect(isSameNode(a, createClusterNode({ ...first, metadata: { ...first.metadata } }))).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  test("accepts input without tags and metadata", () => {
    expect(isSameNode(createClusterNode(base), base)).toBe(true);
    expect(isSameNode(createClusterNode({ ...base, tags: ["a"] }), base)).toBe(false);
    expect(isSameNode(createClusterNode({ ...base, metadata: { a: "b" } }), base)).toBe(false);
  });

  test("ignores inherited properties", () => {
    const node = createClusterNode({ ...base, metadata: { toString: "x" } });
    expect(isSameNode(node, { ...base, metadata: {} })).toBe(false);
    expect(isSameNode(createClusterNode(base), { ...base, metadata: { toString: "x" } })).toBe(false);
  });
});

test("a node is read-only", () => {
  expectTypeOf<ClusterNode["tags"]>().toEqualTypeOf<readonly string[]>();
  expectTypeOf<ClusterNode>().toExtend<ClusterNodeInput>();
  expectTypeOf<ClusterNodeInput>().not.toExtend<ClusterNode>();
});
