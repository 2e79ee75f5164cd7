import { ProvisioningError } from "@holdfast/core";
import { expect, test } from "vitest";
import { toErrorLines } from "./error-lines.ts";
import { createPaint } from "./paint.ts";

const plain = createPaint({ isTty: false, env: {} });

function linesOf(failures: readonly object[]): readonly string[] {
  return toErrorLines(new ProvisioningError("STORE_IO", "failed", { details: { failures } }), plain);
}

test("a failure is named by its provider, or by its topology", () => {
  expect(linesOf([{ providerId: "a", message: "refused" }])).toEqual([
    "error: not every provider can be accepted:",
    "  a  refused",
  ]);
  expect(linesOf([{ topology: "orders", code: "STORE_IO", message: "full\u001b" }])).toEqual([
    "error: not every topology can be accepted:",
    "  orders  full\ufffd",
  ]);
});

test("of many failures the first ones are listed, and the others are counted", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => ({ topology: `t${index}`, message: "full" }));
  const lines = linesOf(many);
  expect([lines.length, lines.at(-2), lines.at(-1)]).toEqual([22, "  t19  full", "  and 980 more"]);
});
