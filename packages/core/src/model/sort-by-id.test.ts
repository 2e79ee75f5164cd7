import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ClusterNode } from "./cluster-node.ts";
import { sortById } from "./sort-by-id.ts";
import { nodeOf } from "../../test/sample-nodes.ts";

function run(nodes: readonly ClusterNode[]): {
  readonly sorted: readonly ClusterNode[];
  readonly steps: number;
} {
  const generator = sortById(nodes);
  for (let steps = 0; ; steps++) {
    const step = generator.next();
    if (step.done === true) return { sorted: step.value, steps };
  }
}

describe("sortById", () => {
  test("sorts by code units, keeps the order of equal ids and does not change its input", () => {
    const ids = fc.array(fc.string({ unit: "binary", maxLength: 2 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      // Up to four runs that must be merged.
      fc.property(ids, fc.nat({ max: 4_096 }), (some, length) => {
        const nodes = Array.from({ length }, (_, i) => ({
          ...nodeOf(i),
          id: some[i % some.length]!,
        }));
        const copy = [...nodes];
        const expected = nodes.toSorted((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
        const { sorted } = run(nodes);
        expect(sorted.every((node, i) => node === expected[i])).toBe(true);
        expect(sorted).toHaveLength(expected.length);
        expect(nodes.every((node, i) => node === copy[i])).toBe(true);
      }),
    );
  });

  test("works in steps of about a thousand nodes", () => {
    const { steps } = run(Array.from({ length: 10_000 }, (_, i) => nodeOf(10_000 - i)));
    // Ten runs, and four rounds of merging.
    expect(steps).toBeGreaterThanOrEqual(10 + 4 * 9);
  });
});
