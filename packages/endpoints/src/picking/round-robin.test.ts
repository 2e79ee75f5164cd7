import { createSeededRandom } from "@holdfast/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type FakeTarget, isFree, targetsOf } from "../../test/fake-target.ts";
import { roundRobin } from "./round-robin.ts";
import type { PickStrategy, Target } from "./target.ts";

const create = (seed = 1) => roundRobin()({ random: createSeededRandom(seed), inFlight: () => 0 });

function take(strategy: PickStrategy, picks: number): (Target | undefined)[] {
  return Array.from({ length: picks }, () => strategy.choose({}, isFree));
}

function countOf(taken: readonly (Target | undefined)[], target: Target): number {
  return taken.filter((each) => each === target).length;
}

describe("roundRobin", () => {
  test("takes equal targets in turn, always in the same order", () => {
    const targets = targetsOf([1, 1, 1, 1]);
    const strategy = create();
    strategy.update(targets);
    const first = take(strategy, 4);
    expect(new Set(first)).toEqual(new Set(targets));
    expect(take(strategy, 8)).toEqual([...first, ...first]);
  });

  test("begins at a random target, so that clients that start together spread out", () => {
    const targets = targetsOf([1, 1, 1, 1]);
    const firsts = Array.from({ length: 200 }, (_, seed) => {
      const strategy = create(seed);
      strategy.update(targets);
      return strategy.choose({}, isFree);
    });
    for (const target of targets) expect(countOf(firsts, target)).toBeGreaterThan(30);
  });

  test("gives each target its share in every sequence of picks, evenly spread", () => {
    // R8.1
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 12 }),
        fc.nat(200),
        fc.integer({ min: 1, max: 200 }),
        fc.nat(),
        (weights, skipped, picks, seed) => {
          const targets = targetsOf(weights);
          const strategy = create(seed);
          strategy.update(targets);
          take(strategy, skipped);
          const taken = take(strategy, picks);
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          for (const target of targets) {
            const share = target.endpoint.weight / total;
            // In one unit of virtual time each target has its weight in picks, give or take one at both ends.
            const tolerance = 1 + weights.length * share;
            expect(Math.abs(countOf(taken, target) - picks * share)).toBeLessThanOrEqual(tolerance + 1e-9);
          }
        },
      ),
    );
  });

  test("keeps the order of the others when a target joins, leaves or changes its weight", () => {
    const [a, b, c, d] = targetsOf([1, 1, 1, 1]) as [FakeTarget, FakeTarget, FakeTarget, FakeTarget];
    const strategy = create();
    strategy.update([a, b, c]);
    const order = take(strategy, 3);
    strategy.update([a, b, c, d]);
    expect(take(strategy, 4).filter((each) => each !== d)).toEqual(order);
    strategy.update([a, c, d]);
    expect(countOf(take(strategy, 30), d)).toBe(10);
    d.weight = 4;
    strategy.update([a, c, d]);
    expect(Math.abs(countOf(take(strategy, 60), d) - 40)).toBeLessThanOrEqual(1);
  });

  test("passes over targets that are not free, and does not repay their turns later", () => {
    const targets = targetsOf([1, 1, 1]);
    const strategy = create();
    strategy.update(targets);
    targets[0]!.isFree = false;
    expect(countOf(take(strategy, 100), targets[0]!)).toBe(0);
    targets[0]!.isFree = true;
    expect(countOf(take(strategy, 9), targets[0]!)).toBeLessThanOrEqual(4);
    for (const target of targets) target.isFree = false;
    expect(take(strategy, 2)).toEqual([undefined, undefined]);
    for (const target of targets) target.isFree = true;
    expect(new Set(take(strategy, 3))).toEqual(new Set(targets));
  });

  test("has nothing to choose without targets", () => {
    const strategy = create();
    expect(strategy.choose({}, isFree)).toBeUndefined();
    strategy.update(targetsOf([1]));
    strategy.update([]);
    expect(strategy.choose({}, isFree)).toBeUndefined();
  });
});
