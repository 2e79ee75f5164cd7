import { VirtualClock } from "@holdfast/conformance";
import { expect, test } from "vitest";
import { FailureGuard } from "./failure-guard.ts";

test("only so many ids are remembered, and the one that failed longest ago is forgotten first", () => {
  const guard = new FailureGuard({ clock: new VirtualClock(), suppressAfter: 1, suppressMs: 60_000 });
  for (let i = 0; i < 1_000; i++) guard.fail(`id-${i}`);
  expect(guard.suppressionOf("id-0")).toBeDefined();
  guard.fail("one-more");

  expect(guard.suppressionOf("id-0")).toBeUndefined();
  expect(guard.suppressionOf("id-1")).toBeDefined();
  expect(guard.suppressionOf("one-more")).toBeDefined();
});
