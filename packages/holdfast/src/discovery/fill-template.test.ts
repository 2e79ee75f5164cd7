import { expect, test } from "vitest";
import { fillTemplate, placeholdersOf } from "./fill-template.ts";

test("fills in the placeholders of all texts, and keeps everything else", () => {
  const template = {
    name: "{service}.{namespace}",
    list: ["{service}-{service}", 7, null, { deep: "x{service}" }],
    "{service}": true,
    other: "a{2} {} { service } {unknown}",
  };
  expect(fillTemplate(template, { service: "orders", namespace: "shop" })).toEqual({
    name: "orders.shop",
    list: ["orders-orders", 7, null, { deep: "xorders" }],
    "{service}": true,
    other: "a{2} {} { service } {unknown}",
  });
});

test("a value is text: it is neither a template nor a replacement pattern, and inherited names are no values", () => {
  expect(fillTemplate("{a}-{b}", { a: "{b}$&", b: "$1" })).toBe("{b}$&-$1");
  expect(fillTemplate("{constructor}{toString}", {})).toBe("{constructor}{toString}");
});

test("finds the names of all placeholders", () => {
  expect([...placeholdersOf({ a: "{service}", b: ["{x}{service}", 7, null], c: "{2}" })]).toEqual([
    "service",
    "x",
  ]);
});
