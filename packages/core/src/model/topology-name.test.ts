import { expect, test } from "vitest";
import { isTopologyName } from "./topology-name.ts";

test.each(["orders", "a", "9", "shop.orders", "Orders_2-b", "x".repeat(128)])("%j is a name", (name) => {
  expect(isTopologyName(name)).toBe(true);
});

test.each(["", ".", "..", "-a", "a/b", "a b", "a@b", "a\n", "ä", "x".repeat(129), 7, undefined])(
  "%j is not a name",
  (name) => {
    expect(isTopologyName(name)).toBe(false);
  },
);
