import type { ProviderSpec } from "@holdfast/core";
import { defineAdapter, type OpenProvider } from "@holdfast/core/adapter";
import { memory } from "@holdfast/provider-memory";
import { expect, test } from "vitest";
import * as z from "zod";
import { toAdapters, toDescriptors } from "./to-configuration.ts";

// R7.3
test("derives priorities from the order of the list, and missing ids from the kinds", () => {
  const specs = [memory(), memory({}, { id: "backup" }), memory(), memory({}, { id: "memory-3" }), memory()];
  expect(toAdapters(specs).map(({ kind }) => kind)).toEqual(["memory"]);
  expect(toDescriptors(specs).map(({ id, priority }) => [id, priority])).toEqual([
    ["memory", 5],
    ["backup", 4],
    ["memory-2", 3],
    ["memory-3", 2],
    ["memory-4", 1],
  ]);
});

test("rejects two adapters of the same kind, and names the kind", () => {
  const { createAdapter } = defineAdapter({ kind: "memory", params: z.object({}), open: notUsed });
  const other: ProviderSpec = { kind: "memory", params: {}, createAdapter };
  expect(() => toAdapters([memory(), other])).toThrow(/VALIDATION_DUPLICATE_ID.*"memory"/);
});

function notUsed(): OpenProvider {
  throw new Error("this adapter must not open a provider");
}
