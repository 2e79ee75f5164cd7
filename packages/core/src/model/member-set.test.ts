import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSameNode, type ClusterNode, type NodeId } from "./cluster-node.ts";
import { addSums, EMPTY_SUM, hashNode } from "./content-hash.ts";
import { MemberSet } from "./member-set.ts";
import { ManualClock } from "../../test/manual-clock.ts";
import { idOf, nodeOf } from "../../test/sample-nodes.ts";

type Model = ReadonlyMap<NodeId, ClusterNode>;

interface Step {
  readonly by: "apply" | "replace" | "replaceSliced";
  readonly upsert: readonly ClusterNode[];
  readonly remove: readonly NodeId[];
}

const POOL = 2_000;
const number = fc.nat({ max: POOL - 1 });
const version = fc.nat({ max: 2 });
const numbers = fc.oneof(
  fc.array(number, { maxLength: 5 }),
  // Runs and alternating ids reach cases that single nodes do not: whole chunks that become empty, fill, split and
  // shrink.
  fc
    .record({ from: number, length: fc.nat({ max: 1_200 }), every: fc.constantFrom(1, 1, 2, 100) })
    .map(({ from, length, every }) => {
      const run = Array.from({ length: Math.ceil(length / every) }, (_, i) => from + i * every);
      return run.filter((n) => n < POOL);
    }),
);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    by: fc.constantFrom("apply", "apply", "apply", "replace", "replaceSliced"),
    upsert: fc.tuple(numbers, version).map(([all, v]) => all.map((n) => nodeOf(n, v))),
    remove: numbers.map((all) => all.map(idOf)),
  }),
  { maxLength: 12 },
);

/** The result of a step with a plain map: upserts win over removals, and equal content keeps the existing object. */
function modelAfter(model: Model, step: Step): Model {
  const next = new Map(model);
  for (const id of step.remove) next.delete(id);
  for (const node of step.upsert) {
    const before = model.get(node.id);
    next.set(node.id, before !== undefined && isSameNode(before, node) ? before : node);
  }
  return next;
}

async function setAfter(set: MemberSet, step: Step, model: Model): Promise<MemberSet> {
  if (step.by === "apply") return set.apply(step);
  // As a provider does: all nodes read again, in a different order.
  const all = [...model.values()]
    .map((node) => (set.get(node.id) === node ? { ...node } : node))
    .toReversed();
  return step.by === "replace" ? set.replace(all) : set.replaceSliced(all, { clock: new ManualClock() });
}

function sorted(model: Model): readonly ClusterNode[] {
  return [...model.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function expectWellFormed(set: MemberSet): void {
  const lengths = set.chunks.map((chunk) => chunk.length);
  expect(set.chunks.flat()).toHaveLength(set.size);
  expect(lengths.every((length) => length > 0 && length <= 512)).toBe(true);
  // Two neighbours hold more than 128 nodes together, so there are never many tiny chunks, whatever was deleted before.
  expect(lengths.every((length, i) => i === 0 || lengths[i - 1]! + length > 128)).toBe(true);
}

describe("MemberSet", () => {
  test("behaves like a plain map through any sequence of changes, and shares unchanged nodes", async () => {
    await fc.assert(
      fc.asyncProperty(numbers, steps, async (initial, sequence) => {
        let model: Model = new Map(initial.map((n) => [idOf(n), nodeOf(n)]));
        let set = MemberSet.from(model.values());
        const versions: [MemberSet, readonly ClusterNode[]][] = [];
        for (const step of sequence) {
          const nextModel = modelAfter(model, step);
          const next = await setAfter(set, step, nextModel);
          const isUnchanged =
            nextModel.size === model.size && [...nextModel].every(([id, node]) => model.get(id) === node);
          if (isUnchanged) expect(next).toBe(set);
          model = nextModel;
          set = next;
          const expected = sorted(model);
          expectWellFormed(set);
          expect(set.size).toBe(expected.length);
          expect(set.toArray()).toEqual(expected);
          expect(set.toArray().every((node, i) => node === expected[i])).toBe(true);
          expect([...set]).toEqual(expected);
          expect(set.sum).toEqual(expected.map(hashNode).reduce(addSums, EMPTY_SUM));
          for (const n of [0, 1, POOL >> 1, POOL]) {
            expect(set.get(idOf(n))).toBe(model.get(idOf(n)));
            expect(set.has(idOf(n))).toBe(model.has(idOf(n)));
          }
          versions.push([set, expected]);
        }
        // Later changes did not alter earlier versions.
        for (const [old, expected] of versions) expect([...old]).toEqual(expected);
      }),
      { numRuns: 150 },
    );
  });

  test("finds exactly its members", () => {
    const set = MemberSet.from(Array.from({ length: 3_000 }, (_, i) => nodeOf(i * 2)));
    for (let i = 0; i < 6_000; i++) expect(set.get(idOf(i))?.id).toBe(i % 2 === 0 ? idOf(i) : undefined);
    expect(set.has("")).toBe(false);
    expect(set.has("~")).toBe(false);
    expect(MemberSet.empty.has("a")).toBe(false);
  });

  test("is the same object after a replacement with equal content", () => {
    const set = MemberSet.from(Array.from({ length: 1_000 }, (_, i) => nodeOf(i)));
    const again = Array.from({ length: 1_000 }, (_, i) => nodeOf(999 - i));
    expect(set.replace(again)).toBe(set);
    expect(set.apply({ upsert: again, remove: ["unknown"] })).toBe(set);
    expect(set.apply({})).toBe(set);
    expect(MemberSet.from([])).toBe(MemberSet.empty);
    expect(set.replace([])).toBe(MemberSet.empty);
    expect(set.apply({ remove: again.map((node) => node.id) })).toBe(MemberSet.empty);
  });

  test.each(["apply", "replace"] as const)("shares all chunks but one when %s changes one node", (way) => {
    const nodes = Array.from({ length: 10_000 }, (_, i) => nodeOf(i));
    const before = MemberSet.from(nodes);
    const after =
      way === "apply"
        ? before.apply({ upsert: [nodeOf(5_000, 1)] })
        : before.replace(Array.from({ length: 10_000 }, (_, i) => nodeOf(i, i === 5_000 ? 1 : 0)));
    expect(after.chunks).toHaveLength(before.chunks.length);
    expect(after.chunks.filter((chunk, i) => chunk !== before.chunks[i])).toHaveLength(1);
    expect(after.toArray().filter((node, i) => node !== before.toArray()[i])).toEqual([nodeOf(5_000, 1)]);
  });

  test("shares a chunk whose edits do not change its content", () => {
    const before = MemberSet.from(Array.from({ length: 1_024 }, (_, i) => nodeOf(i)));
    const after = before.apply({ upsert: [nodeOf(10), nodeOf(1_000, 1)], remove: ["node-0000300x"] });
    expect(after.chunks.map((chunk, i) => chunk === before.chunks[i])).toEqual([true, true, true, false]);
  });

  test("reads a few dozen nodes when one of 10,000 changes", () => {
    let reads = 0;
    const nodes = Array.from({ length: 10_000 }, (_, i) => {
      const node = nodeOf(i);
      return Object.defineProperty({ ...node }, "id", { enumerable: true, get: () => (reads++, node.id) });
    });
    const before = MemberSet.from(nodes);
    reads = 0;
    before.apply({ upsert: [nodeOf(7_777, 1)] });
    expect(reads).toBeLessThan(60);
  });

  test("keeps few chunks after most members were deleted one by one, in any direction", () => {
    const count = 20_000;
    const all = Array.from({ length: count }, (_, i) => i);
    // The remaining nodes are at the start of each chunk, the worst case for merging with the chunk before.
    const doomed = all.filter((i) => i % 256 !== 0);
    for (const order of [doomed, doomed.toReversed()]) {
      let set = MemberSet.from(all.map((i) => nodeOf(i)));
      for (let i = 0; i < order.length; i += 50)
        set = set.apply({ remove: order.slice(i, i + 50).map(idOf) });
      expect(set.size).toBe(Math.ceil(count / 256));
      expect(set.chunks.length).toBeLessThanOrEqual(2);
    }
  });

  test("the last upsert of an id counts, and an upsert wins over a removal", () => {
    const set = MemberSet.from([nodeOf(1)]).apply({
      upsert: [nodeOf(1, 1), nodeOf(1, 2)],
      remove: [idOf(1)],
    });
    expect(set.toArray()).toEqual([nodeOf(1, 2)]);
  });

  test("refuses two members with one id, sorted or not, and names it", async () => {
    const set = MemberSet.from([nodeOf(1)]);
    const expected = expect.objectContaining({
      code: "VALIDATION_DUPLICATE_ID",
      details: { nodeId: idOf(2) },
    });
    expect(() => set.replace([nodeOf(1), nodeOf(2), nodeOf(2, 1)])).toThrow(expected);
    expect(() => MemberSet.from([nodeOf(2), nodeOf(3), nodeOf(1), nodeOf(2)])).toThrow(expected);
    await expect(set.replaceSliced([nodeOf(2), nodeOf(2)], { clock: new ManualClock() })).rejects.toEqual(
      expected,
    );
    expect(set.toArray()).toEqual([nodeOf(1)]);
  });

  test("accepts any iterable", () => {
    const set = MemberSet.from(new Set([nodeOf(2), nodeOf(1)]));
    expect(set.apply({ upsert: new Map([["x", nodeOf(3)]]).values(), remove: new Set([idOf(1)]) }).size).toBe(
      2,
    );
  });

  test("a sliced replacement yields to the event loop after about every thousand nodes", async () => {
    const clock = new ManualClock();
    const nodes = Array.from({ length: 10_000 }, (_, i) => nodeOf(i));
    await MemberSet.empty.replaceSliced(nodes, { clock });
    expect(clock.yields).toBeGreaterThanOrEqual(9);
    clock.yields = 0;
    await MemberSet.empty.replaceSliced(nodes.toReversed(), { clock });
    expect(clock.yields).toBeGreaterThanOrEqual(18);
  });

  test("a sliced replacement stops when its signal aborts", async () => {
    const controller = new AbortController();
    const clock = new ManualClock();
    const nodes = Array.from({ length: 10_000 }, (_, i) => nodeOf(i));
    const work = MemberSet.empty.replaceSliced(nodes, { clock, signal: controller.signal });
    controller.abort();
    await expect(work).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    expect(clock.yields).toBeLessThan(3);
  });
});

test("a finder finds the same as get, in any order of lookups", () => {
  const set = MemberSet.from(Array.from({ length: 1_000 }, (_, i) => nodeOf(i * 2)));
  const ids = Array.from({ length: 2_001 }, (_, i) => nodeOf(i).id);
  const inOrder = set.finder();
  for (const id of ids) expect(inOrder(id)).toBe(set.get(id));
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...ids)), (asked) => {
      const find = set.finder();
      for (const id of asked) expect(find(id)).toBe(set.get(id));
    }),
  );
  expect(MemberSet.empty.finder()("a")).toBeUndefined();
});
