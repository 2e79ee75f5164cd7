import { describe, expect, test } from "vitest";
import { createNodeReader } from "../model/node-reader.ts";
import { shortenId, trimNode } from "./trim-node.ts";

const entry = { id: "a", host: "10.0.0.1", port: 80 };
const read = createNodeReader();

describe("trimNode", () => {
  test("does not change an entry within the limits, or one that is malformed in another way", () => {
    const full = {
      ...entry,
      id: "i".repeat(253),
      zone: "z".repeat(253),
      tags: Array.from({ length: 256 }, (_, i) => `${i}`.padEnd(1_024)),
      metadata: { ["k".repeat(256)]: "v".repeat(8_192) },
    };
    expect(trimNode(full)).toBeUndefined();
    expect(read(full).id).toBe(full.id);
    expect(trimNode({ id: 7, zone: null, tags: "x".repeat(2_000), metadata: 5 })).toBeUndefined();
    expect(trimNode({ ...entry, tags: Array.from({ length: 300 }, () => 7) })).toBeUndefined();
  });

  test.each([
    ["a long tag", { tags: ["x".repeat(1_025), "b"] }, { tags: ["b"] }],
    ["a long zone", { zone: "z".repeat(254) }, { zone: undefined }],
    ["a long key", { metadata: { ["k".repeat(257)]: "v", a: "b" } }, { metadata: { a: "b" } }],
    ["a long value", { metadata: { k: "v".repeat(8_193), a: "b" } }, { metadata: { a: "b" } }],
    [
      "too many tags that repeat",
      { tags: Array.from({ length: 300 }, (_, i) => `${i % 2}`) },
      { tags: ["0", "1"] },
    ],
  ])("%s is left out, and the entry is a member", (_, more, expected) => {
    const trimmed = trimNode({ ...entry, ...more });
    expect(trimmed?.reasons).toHaveLength(1);
    expect(read(trimmed?.entry)).toMatchObject({ ...entry, ...expected });
  });

  test("keeps the same 256 of 257 tags in any order", () => {
    const tags = Array.from({ length: 257 }, (_, i) => `tag-${i}`);
    const one = read(trimNode({ ...entry, tags })?.entry);
    const other = read(trimNode({ ...entry, tags: tags.toReversed() })?.entry);
    expect(one.tags).toHaveLength(256);
    expect(other).toEqual(one);
  });
});

describe("shortenId", () => {
  test("returns different ids of at most 253 characters for different texts, and equal ids for equal texts", () => {
    const ids = ["a", "b"].map((end) => shortenId(`${"n".repeat(300)}${end}`));
    expect(ids[0]).toHaveLength(253);
    expect(ids[0]).toMatch(/^n{236}~[0-9a-f]{16}$/);
    expect(ids[1]).not.toBe(ids[0]);
    expect(shortenId(`${"n".repeat(300)}a`)).toBe(ids[0]);
    expect(shortenId("n".repeat(253))).toBe("n".repeat(253));
  });

  test("never splits a surrogate pair", () => {
    for (const start of ["", "x"]) expect(shortenId(start + "🌊".repeat(200)).isWellFormed()).toBe(true);
  });
});
