import { expect, test } from "vitest";
import type { DiscoveryDefinition } from "./discovery-definition.ts";
import { findEarlier } from "./find-earlier.ts";

const toWords = (text: string) => text.split(" ").filter((word) => word !== "");

/** `"a+b:1"` has the sources `a` and `b`, and another definition than `"a+b:2"`. */
function toDefinition(text: string, index: number): DiscoveryDefinition {
  const [sources = "", version] = text.split(":");
  return {
    sources: sources.split("+").map((name) => ({ kind: "catalog", params: { name } })),
    providers: [],
    removeAfterMs: Number(version),
    at: ["discover", index],
  };
}

test.each([
  ["the same list", "a:1 b:1", "a:1 b:1", "a:1 b:1"],
  ["the first one is removed", "a:1 b:1", "b:1", "b:1"],
  ["another one is put before it", "a:1", "n:1 a:1", "- a:1"],
  ["two are swapped", "a:1 b:1", "b:1 a:1", "b:1 a:1"],
  ["one is changed, and the one before it removed", "a:1 b:1", "b:2", "b:1"],
  ["one gets another source in addition", "a:1 b:1", "b:1 c+a:1", "b:1 a:1"],
  ["equal before a shared source", "a+b:1 a:1", "a:1 a+b:2", "a:1 a+b:1"],
  ["one has another source at the same place", "a:1 b:1", "a:1 c:1", "a:1 b:1"],
  ["there are more than before", "a:1", "a:1 b:1", "a:1 -"],
  ["a copy does not take over what another one has", "a:1", "a:1 a:1", "a:1 -"],
  ["none are left", "a:1", "", ""],
])("%s", (_, before, after, expected) => {
  const earlier = toWords(before).map((name, index) => ({ name, definition: toDefinition(name, index) }));
  const found = findEarlier(earlier, toWords(after).map(toDefinition));
  expect(found.map((one) => one?.name ?? "-").join(" ")).toBe(expected);
});
