import { createSeededRandom } from "@holdfast/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFree, targetsOf, type FakeTarget } from "../../test/fake-target.ts";
import { byKey, type ByKeyOptions } from "./by-key.ts";
import type { PickStrategy } from "./target.ts";

function create(targets: readonly FakeTarget[], options?: ByKeyOptions): PickStrategy {
  const inFlight = () => targets.reduce((sum, target) => sum + target.inFlight, 0);
  const strategy = byKey(options)({ random: createSeededRandom(1), inFlight });
  strategy.update(targets);
  return strategy;
}

const choose = (strategy: PickStrategy, key: string) => strategy.choose({ key }, isFree) as FakeTarget;

describe("byKey", () => {
  test("gives the same key to the same target, in every process", () => {
    // R8.1
    const [one, other] = [create(targetsOf([1, 1, 1, 1])), create(targetsOf([1, 1, 1, 1]))];
    const owners = Array.from({ length: 100 }, (_, i) => choose(one, `key-${i}`).id);
    expect(new Set(owners).size).toBe(4);
    expect(Array.from({ length: 100 }, (_, i) => choose(other, `key-${i}`).id)).toEqual(owners);
  });

  test("a call without a key goes to any target", () => {
    const targets = targetsOf([1, 1, 1, 1]);
    const strategy = create(targets);
    const chosen = new Set(Array.from({ length: 200 }, () => strategy.choose({}, isFree)));
    expect(chosen).toEqual(new Set(targets));
  });

  test("no target gets more than its bound of the calls in flight, however the keys are spread", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 10 }),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 200 }),
        fc.constantFrom(1, 1.25, 2),
        (weights, keys, loadFactor) => {
          const targets = targetsOf(weights);
          const strategy = create(targets, { loadFactor, minInFlight: 2 });
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          for (const [i, key] of keys.entries()) {
            const target = choose(strategy, `hot-${key}`);
            target.inFlight++;
            const bound = Math.max(2, Math.ceil((loadFactor * (i + 1) * target.endpoint.weight) / total));
            expect(target.inFlight).toBeLessThanOrEqual(bound);
          }
        },
      ),
    );
  });

  test("an overloaded target passes further calls of a key to the same next one", () => {
    const targets = targetsOf([1, 1, 1, 1, 1]);
    const strategy = create(targets, { minInFlight: 3 });
    const owner = choose(strategy, "key");
    owner.inFlight = 3;
    const next = choose(strategy, "key");
    expect(next).not.toBe(owner);
    // It may always have `minInFlight` calls, as the owner may.
    next.inFlight = 2;
    expect(choose(strategy, "key")).toBe(next);
    owner.inFlight = 2;
    expect(choose(strategy, "key")).toBe(owner);
  });

  test("passes over a target that is not free, and returns to it", () => {
    const targets = targetsOf([1, 1, 1]);
    const strategy = create(targets);
    const owner = choose(strategy, "key");
    owner.isFree = false;
    const next = choose(strategy, "key");
    expect(next).not.toBe(owner);
    next.isFree = false;
    expect(new Set([owner, next, choose(strategy, "key")]).size).toBe(3);
    for (const target of targets) target.isFree = false;
    expect(choose(strategy, "key")).toBeUndefined();
    owner.isFree = true;
    expect(choose(strategy, "key")).toBe(owner);
  });

  test("has nothing to choose without targets", () => {
    expect(create([]).choose({ key: "key" }, isFree)).toBeUndefined();
  });
});
