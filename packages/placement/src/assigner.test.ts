import { createClusterNode, type ClusterNode } from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Assigner, partitionOf, type AssignerOptions } from "./assigner.ts";

interface Shape {
  readonly id: number;
  readonly weight?: number | undefined;
  readonly zone?: string | undefined;
}

const toNode = ({ id, weight, zone }: Shape): ClusterNode =>
  createClusterNode({ id: `node-${id}`, host: "10.0.0.1", port: 7_000, weight, zone });
const nodes = (count: number, shape: (id: number) => Partial<Shape> = () => ({})) =>
  Array.from({ length: count }, (_, id) => toNode({ id, ...shape(id) }));
const members = fc
  .uniqueArray(
    fc.record({
      id: fc.integer({ min: 0, max: 40 }),
      weight: fc.constantFrom(undefined, 1, 2, 0, 0.25),
      zone: fc.constantFrom(undefined, "a", "b", "c"),
    }),
    { selector: ({ id }) => id, maxLength: 16 },
  )
  .map((list) => list.map((shape) => toNode(shape)));

// R8.5
describe("Assigner", () => {
  test("depends only on the nodes: not on their order, and not on what was assigned before", () => {
    fc.assert(
      fc.property(
        fc.array(members, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 4 }),
        (steps, copies) => {
          const options = { partitions: 32, copies };
          const assigner = new Assigner(options);
          for (const step of steps) {
            const assignment = assigner.assign(step);
            const fresh = new Assigner(options).assign(step.toReversed());
            expect(fresh.movesFrom(assignment)).toEqual([]);
          }
        },
      ),
    );
  });

  test("the nodes of a partition differ, and are in different zones as far as there are enough", () => {
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 4 }), (list, copies) => {
        const assignment = new Assigner({ partitions: 32, copies }).assign(list);
        const usable = list.filter(({ weight }) => weight !== 0);
        const zones = new Set(usable.map(({ zone }) => zone)).size;
        const zoneOf = new Map(usable.map(({ id, zone }) => [id, zone]));
        for (let partition = 0; partition < 32; partition++) {
          const held = assignment.nodesOf(partition);
          expect(new Set(held).size).toBe(Math.min(copies, usable.length));
          expect(held).toHaveLength(Math.min(copies, usable.length));
          const spread = new Set(held.slice(0, zones).map((id) => zoneOf.get(id))).size;
          expect(spread).toBe(Math.min(held.length, zones));
        }
      }),
    );
  });

  test("gives the same owners in every version", () => {
    // Other values would give partitions two owners while a fleet is updated.
    const list = nodes(5, (id) => ({ weight: 1 + (id % 2), zone: `zone-${id % 2}` }));
    const assignment = new Assigner({ partitions: 12, copies: 2 }).assign(list);
    const held = Array.from({ length: 12 }, (_, partition) => assignment.nodesOf(partition).join(" "));
    expect(held).toMatchInlineSnapshot(`
      [
        "node-0 node-3",
        "node-1 node-2",
        "node-0 node-1",
        "node-2 node-3",
        "node-1 node-4",
        "node-4 node-1",
        "node-1 node-0",
        "node-1 node-0",
        "node-2 node-1",
        "node-3 node-4",
        "node-3 node-4",
        "node-0 node-3",
      ]
    `);
  });

  test("without nodes, and with nodes of the weight 0 only, nothing is owned", () => {
    const assigner = new Assigner({ partitions: 4 });
    expect(assigner.assign([]).ownerOf(0)).toBeUndefined();
    expect(assigner.assign(nodes(2, () => ({ weight: 0 }))).nodesOf(3)).toEqual([]);
    expect(assigner.assign(nodes(1)).partitionsOf("node-0")).toEqual([0, 1, 2, 3]);
  });

  const sizes: readonly (readonly [partitions: number, count: number])[] = [
    [1_024, 10],
    [1_024, 100],
    [1_024, 1_000],
  ];
  test.each(sizes)("%i partitions on %i nodes: no node holds more than its bound", (partitions, count) => {
    const list = nodes(count, (id) => ({ weight: 1 + (id % 3) }));
    const total = list.reduce((sum, { weight }) => sum + weight!, 0);
    const assignment = new Assigner({ partitions }).assign(list);
    let sum = 0;
    for (const { id, weight } of list) {
      const share = (partitions * weight!) / total;
      const load = assignment.partitionsOf(id).length;
      expect(load).toBeLessThanOrEqual(Math.max(Math.ceil(1.5 * share), Math.ceil(share) + 1));
      sum += load;
    }
    expect(sum).toBe(partitions);
  });

  test.each(sizes)(
    "%i partitions on %i nodes: changes move at most 1.1 times the least possible",
    (partitions, count) => {
      const assigner = new Assigner({ partitions });
      let list = nodes(count);
      let before = assigner.assign(list);
      let moved = 0;
      let least = 0;
      for (let step = 0; step < 120; step++) {
        const chosen = (step * 7) % list.length;
        if (step % 3 === 0) list = [...list, toNode({ id: 10_000 + step })];
        else if (step % 3 === 1) list = list.filter((_, index) => index !== chosen);
        else
          list = list.map((node, index) =>
            index === chosen ? createClusterNode({ ...node, weight: 2 }) : node,
          );
        const after = assigner.assign(list);
        moved += after.movesFrom(before).length;
        // What a node has gained in number must have moved.
        for (const { id } of list) {
          least += Math.max(0, after.partitionsOf(id).length - before.partitionsOf(id).length);
        }
        before = after;
      }
      expect(moved).toBeGreaterThan(0);
      expect(moved / least).toBeLessThanOrEqual(1.1);
    },
  );

  test("when the owner leaves, usually its first replica takes over", () => {
    const assigner = new Assigner({ partitions: 1_024, copies: 2 });
    const list = nodes(20);
    const before = assigner.assign(list);
    const after = assigner.assign(list.slice(1));
    const lost = before.partitionsOf("node-0");
    const taken = lost.filter((partition) => after.ownerOf(partition) === before.nodesOf(partition)[1]);
    expect(taken.length / lost.length).toBeGreaterThan(0.9);
  });

  test.each<[AssignerOptions, string]>([
    [{ partitions: 0 }, "partitions"],
    [{ partitions: 1.5 }, "partitions"],
    [{ partitions: 65_537 }, "partitions"],
    [{ partitions: 8, copies: 17 }, "copies"],
    [{ partitions: 8, maxLoad: 0.9 }, "maxLoad"],
    [{ partitions: 8, maxLoad: Number.NaN }, "maxLoad"],
  ])("refuses %j", (options, path) => {
    expect(() => new Assigner(options)).toThrow(
      expect.objectContaining({ code: "VALIDATION_MALFORMED", details: expect.objectContaining({ path }) }),
    );
  });
});

test("keys are spread over all partitions, the same in every process", () => {
  const counts = Array.from({ length: 16 }, () => 0);
  for (let key = 0; key < 16_000; key++) counts[partitionOf(`customer/${key}`, 16)]!++;
  expect(Math.min(...counts)).toBeGreaterThan(850);
  expect(Math.max(...counts)).toBeLessThan(1_150);
  expect(["a", "customer/1", ""].map((key) => partitionOf(key, 1_024))).toMatchInlineSnapshot(`
    [
      271,
      15,
      405,
    ]
  `);
});
