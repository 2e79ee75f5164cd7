import { createSeededRandom } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { isFree, targetsOf, type FakeTarget } from "../../test/fake-target.ts";
import { leastInFlight } from "./least-in-flight.ts";

const create = (seed = 1) => leastInFlight()({ random: createSeededRandom(seed), inFlight: () => 0 });

/** Makes calls that never end, and returns how many each target got. */
function load(targets: readonly FakeTarget[], calls: number): number[] {
  const strategy = create();
  strategy.update(targets);
  for (let i = 0; i < calls; i++) {
    const target = strategy.choose({}, isFree) as FakeTarget;
    target.inFlight++;
  }
  return targets.map(({ inFlight }) => inFlight);
}

describe("leastInFlight", () => {
  test("keeps the calls in flight even, much more than chance would", () => {
    const counts = load(targetsOf(Array.from({ length: 100 }, () => 1)), 2_000);
    // 20 each; a random choice would give about 10 to 35.
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(17);
    expect(Math.max(...counts)).toBeLessThanOrEqual(23);
  });

  test("keeps them in proportion to the weights", () => {
    // R8.1
    const [small, , large] = load(targetsOf([1, 2, 5]), 800) as [number, number, number];
    expect(Math.abs(small - 100)).toBeLessThan(10);
    expect(Math.abs(large - 500)).toBeLessThan(15);
  });

  test("without calls in flight it chooses by weight, and none is left out", () => {
    const targets = targetsOf([1, 9, 90]);
    const strategy = create();
    strategy.update(targets);
    const counts = new Map(targets.map((target) => [target, 0]));
    for (let i = 0; i < 10_000; i++) {
      const target = strategy.choose({}, isFree) as FakeTarget;
      counts.set(target, counts.get(target)! + 1);
    }
    expect(counts.get(targets[0]!)!).toBeGreaterThan(60);
    expect(counts.get(targets[0]!)!).toBeLessThan(150);
    expect(Math.abs(counts.get(targets[1]!)! - 900)).toBeLessThan(120);
  });

  test("avoids a target that does not answer", () => {
    const targets = targetsOf([1, 1, 1, 1]);
    targets[2]!.inFlight = 50;
    const strategy = create();
    strategy.update(targets);
    for (let i = 0; i < 100; i++) expect(strategy.choose({}, isFree)).not.toBe(targets[2]);
  });

  test("finds the only free target, and none when there is none", () => {
    const targets = targetsOf(Array.from({ length: 500 }, () => 1));
    for (const target of targets) target.isFree = false;
    const strategy = create();
    strategy.update(targets);
    expect(strategy.choose({}, isFree)).toBeUndefined();
    targets[123]!.isFree = true;
    for (let i = 0; i < 20; i++) expect(strategy.choose({}, isFree)).toBe(targets[123]);
    strategy.update([]);
    expect(strategy.choose({}, isFree)).toBeUndefined();
  });
});
