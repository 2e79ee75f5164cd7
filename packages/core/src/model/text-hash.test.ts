import { describe, expect, test } from "vitest";
import { combineHashes, hashText } from "./text-hash.ts";

describe("hashText", () => {
  test("gives the same hash in every process and version", () => {
    // Other values would send keys and subsets of a fleet to other members while it is updated.
    expect(["", "a", "node-1", "é\u{1f600}"].map(hashText)).toMatchInlineSnapshot(`
      [
        {
          "high": 1698811796,
          "low": -627483394,
        },
        {
          "high": 1139181990,
          "low": 964691413,
        },
        {
          "high": 260221249,
          "low": -1950684150,
        },
        {
          "high": 1388838404,
          "low": 931026605,
        },
      ]
    `);
    expect(combineHashes(hashText("client"), hashText("node-1"))).toMatchInlineSnapshot(`7637881145186110`);
  });

  test("spreads similar texts evenly over every byte", () => {
    const counts = Array.from({ length: 8 }, () => new Float64Array(256));
    const total = 50_000;
    for (let i = 0; i < total; i++) {
      const { high, low } = hashText(`node-${i}`);
      for (let byte = 0; byte < 4; byte++) {
        counts[byte]![(high >>> (8 * byte)) & 0xff]! += 1;
        counts[4 + byte]![(low >>> (8 * byte)) & 0xff]! += 1;
      }
    }
    for (const bytes of counts) {
      const expected = total / 256;
      const chi2 = bytes.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
      // 255 degrees of freedom: the mean is 255, the deviation 23.
      expect(chi2).toBeLessThan(255 + 5 * 23);
    }
  });

  test("the combination of two hashes is even, below 2^53, and depends on the order", () => {
    const buckets = new Float64Array(64);
    const total = 64_000;
    const clients = Array.from({ length: 40 }, (_, i) => hashText(`client-${i}`));
    for (let i = 0; i < total; i++) {
      const combined = combineHashes(clients[i % 40]!, hashText(`node-${Math.floor(i / 40)}`));
      expect(Number.isSafeInteger(combined) && combined >= 0).toBe(true);
      buckets[Math.floor(combined / 2 ** 47)]! += 1;
    }
    const chi2 = buckets.reduce((sum, count) => sum + (count - 1_000) ** 2 / 1_000, 0);
    expect(chi2).toBeLessThan(63 + 5 * 11);
    const [a, b] = [hashText("a"), hashText("b")];
    expect(combineHashes(a, b)).not.toBe(combineHashes(b, a));
  });
});
