import { describe, expect, test } from "vitest";
import { ByteParts } from "./byte-parts.ts";

describe("ByteParts", () => {
  test("returns all bytes in order, and can be used again", () => {
    const parts = new ByteParts();
    const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i % 251));
    for (let i = 0; i < bytes.length; i++) parts.add(bytes.subarray(i, i + 1));
    expect(parts.byteLength).toBe(bytes.length);
    expect(parts.take().equals(bytes)).toBe(true);
    expect(parts.byteLength).toBe(0);
    parts.add(Buffer.from("ab"));
    parts.add(Buffer.alloc(0));
    expect(parts.take().toString()).toBe("ab");
    expect(parts.take().byteLength).toBe(0);
  });

  test("keeps few parts, however many are added", () => {
    const parts = new ByteParts();
    const byte = Buffer.from("x");
    for (let i = 0; i < 1_000_000; i++) parts.add(byte);
    expect(parts.count).toBeLessThan(2_001);
    expect(parts.take().byteLength).toBe(1_000_000);
  });
});
