import { describe, expect, test } from "vitest";
import { createSeededRandom } from "./seeded-random.ts";

function draw(seed: number): readonly number[] {
  const random = createSeededRandom(seed);
  return Array.from({ length: 100 }, () => random());
}

describe("createSeededRandom", () => {
  test("returns the same numbers for the same seed and others for another", () => {
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test("returns numbers spread over [0, 1)", () => {
    const random = createSeededRandom(1);
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 10_000; i++) {
      const drawn = random();
      expect(drawn).toBeGreaterThanOrEqual(0);
      expect(drawn).toBeLessThan(1);
      buckets[Math.floor(drawn * 10)]! += 1;
    }
    for (const count of buckets) {
      expect(count).toBeGreaterThan(900);
      expect(count).toBeLessThan(1_100);
    }
  });
});
