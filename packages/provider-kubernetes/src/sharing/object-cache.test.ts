import { fieldOf } from "@holdfast/core/adapter";
import { expect, test } from "vitest";
import { ObjectCache } from "./object-cache.ts";

function createCache(): ObjectCache {
  return new ObjectCache({
    groupOf: (object) => String(fieldOf(object, "group")),
    toText: (object) => JSON.stringify(fieldOf(object, "value")),
    sizeOf: (object) => Number(fieldOf(object, "size") ?? 1),
  });
}

const textsOf = (cache: ObjectCache, group: string) => Object.fromEntries(cache.group(group));

test("a put or deleted object is a change of its group", () => {
  const cache = createCache();
  const object = { group: "a", value: 1 };
  expect(cache.put("x", object)).toEqual([{ key: "x", group: "a", text: "1", object }]);
  expect(cache.put("y", { group: "a", value: 2 })).toHaveLength(1);
  expect(textsOf(cache, "a")).toEqual({ x: "1", y: "2" });
  expect(cache.delete("x")).toEqual([{ key: "x", group: "a" }]);
  expect(cache.delete("x")).toEqual([]);
  expect([textsOf(cache, "a"), cache.count]).toEqual([{ y: "2" }, 1]);
});

test("an object whose text stays the same is not a change", () => {
  const cache = createCache();
  cache.put("x", { group: "a", value: 1 });
  expect(cache.put("x", { group: "a", value: 1, other: "field" })).toEqual([]);
});

test("an object that moves to another group is a change of both", () => {
  const cache = createCache();
  cache.put("x", { group: "a", value: 1 });
  const object = { group: "b", value: 1 };
  expect(cache.put("x", object)).toEqual([
    { key: "x", group: "a" },
    { key: "x", group: "b", text: "1", object },
  ]);
  expect([textsOf(cache, "a"), textsOf(cache, "b"), cache.count]).toEqual([{}, { x: "1" }, 1]);
});

test("retain removes all objects with other keys", () => {
  const cache = createCache();
  for (const key of ["x", "y", "z"]) cache.put(key, { group: key, value: 1 });
  cache.retain(new Set(["y", "unknown"]));
  expect(["x", "y", "z"].map((group) => textsOf(cache, group))).toEqual([{}, { y: "1" }, {}]);
});

test("more objects and entries than a provider may have are rejected; those that were replaced do not count", () => {
  const cache = createCache();
  cache.put("x", { group: "a", value: 1, size: 999_999 });
  cache.put("x", { group: "b", value: 2, size: 999_999 });
  cache.put("y", { group: "a", value: 1 });
  expect(() => cache.put("z", { group: "a", value: 1 })).toThrow(
    expect.objectContaining({ code: "STREAM_INVALID_DATA", details: { maxMembers: 1_000_000 } }),
  );
});
