import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { hashText } from "@holdfast/core";
import { targetsOf, type FakeTarget } from "../../test/fake-target.ts";
import { HashRing } from "./hash-ring.ts";

const KEYS = Array.from({ length: 2_000 }, (_, i) => `key-${i}`);

function ownersOf(ring: HashRing): string[] {
  return KEYS.map((key) => ring.targetAt(ring.indexOf(hashText(key).high >>> 0)).endpoint.node.id);
}

function ringOf(targets: readonly FakeTarget[]): HashRing {
  const ring = new HashRing();
  ring.update(targets);
  return ring;
}

describe("HashRing", () => {
  test("does not depend on earlier updates: every process with the same endpoints has the same ring", () => {
    const targets = targetsOf([1, 1, 1, 3, 1, 1, 2, 1]);
    const subset = fc.subarray(targets);
    fc.assert(
      fc.property(
        fc.array(subset, { maxLength: 6 }),
        fc.subarray(targets, { minLength: 1 }),
        (earlier, last) => {
          const ring = new HashRing();
          for (const update of earlier) ring.update(update);
          ring.update(last);
          expect(ownersOf(ring)).toEqual(ownersOf(ringOf(last)));
        },
      ),
      { numRuns: 30 },
    );
  });

  test("two places with the same hash belong to the same target in every process", () => {
    const targets = targetsOf(Array.from({ length: 1_500 }, () => 1));
    const [one, other] = [ringOf(targets), ringOf(targets.slice(700))];
    other.update(targets);
    const differing = [];
    let ties = 0;
    for (let i = 0; i < one.size; i++) {
      const hash = one.hashAt(i);
      if (hash === one.hashAt(i + 1)) ties++;
      if (one.targetAt(one.indexOf(hash)) !== other.targetAt(other.indexOf(hash))) differing.push(hash);
    }
    expect(ties).toBeGreaterThan(0);
    expect(differing).toEqual([]);
  });

  test("moves only the keys of a target that leaves, and only keys to one that joins", () => {
    const targets = targetsOf(Array.from({ length: 20 }, () => 1));
    const ring = ringOf(targets);
    const before = ownersOf(ring);
    ring.update(targets.slice(1));
    const after = ownersOf(ring);
    for (const [i, owner] of before.entries()) {
      if (owner !== targets[0]!.id) expect(after[i]).toBe(owner);
    }
    ring.update(targets);
    expect(ownersOf(ring)).toEqual(before);
  });

  test("gives each target its share", () => {
    const weights = Array.from({ length: 40 }, (_, i) => (i < 20 ? 1 : 3));
    const targets = targetsOf(weights);
    const ring = ringOf(targets);
    const counts = new Map(targets.map(({ id }) => [id, 0]));
    for (let i = 0; i < 40_000; i++) {
      const { id } = ring.targetAt(ring.indexOf(hashText(`other-${i}`).high >>> 0)).endpoint.node;
      counts.set(id, counts.get(id)! + 1);
    }
    const shares = targets.map(({ id, endpoint }) => counts.get(id)! / (endpoint.weight * 500));
    // The deviation is about 12% for the smaller ones.
    expect(Math.min(...shares)).toBeGreaterThan(0.6);
    expect(Math.max(...shares)).toBeLessThan(1.4);
  });

  test("another weight moves only the difference", () => {
    const targets = targetsOf(Array.from({ length: 20 }, () => 1));
    const ring = ringOf(targets);
    const before = ownersOf(ring);
    targets[3]!.weight = 1.5;
    ring.update(targets);
    const moved = ownersOf(ring).filter((owner, i) => owner !== before[i]);
    expect(new Set(moved)).toEqual(new Set([targets[3]!.id]));
    expect(moved.length).toBeLessThan(KEYS.length / 20);
  });

  test("keeps its size after many changes", () => {
    const targets = targetsOf(Array.from({ length: 30 }, () => 1));
    const ring = ringOf(targets);
    const { size } = ring;
    for (let i = 0; i < 100; i++) {
      ring.update(targets.filter((_, at) => at % 30 !== i % 30));
      ring.update(targets);
    }
    expect(ring.size).toBe(size);
    ring.update([]);
    expect(ring.size).toBe(0);
  });
});
