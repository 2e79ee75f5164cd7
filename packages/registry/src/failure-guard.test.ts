import { VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { FailureGuard } from "./failure-guard.ts";

test("remembers a limited number of ids, and forgets the one that failed longest ago first", () => {
  const guard = new FailureGuard({ clock: new VirtualClock(), suppressAfter: 1, suppressMs: 60_000 });
  for (let i = 0; i < 1_000; i++) guard.fail(`id-${i}`, "x");
  expect(guard.suppressionOf("id-0", "x")).toBeDefined();
  guard.fail("one-more", "x");

  expect(guard.suppressionOf("id-0", "x")).toBeUndefined();
  expect(guard.suppressionOf("id-1", "x")).toBeDefined();
  expect(guard.suppressionOf("one-more", "x")).toBeDefined();
});

// R5.2
test("suppresses only definitions that failed, also when several definitions alternate", () => {
  const guard = new FailureGuard({ clock: new VirtualClock(), suppressAfter: 3, suppressMs: 60_000 });
  for (const definition of ["first", "second", "first"]) guard.fail("a", definition);
  expect(guard.suppressionOf("a", "first")).toEqual({ providerId: "a", failures: 3, retryAfterMs: 60_000 });
  expect(guard.suppressionOf("a", "second")).toBeDefined();
  expect(guard.suppressionOf("a", "corrected")).toBeUndefined();
  expect(guard.suppressionOf("a", "first"), "asking for another one ends nothing").toBeDefined();
});

test("remembers a limited number of definitions of an id", () => {
  const guard = new FailureGuard({ clock: new VirtualClock(), suppressAfter: 1, suppressMs: 60_000 });
  for (let i = 0; i < 9; i++) guard.fail("a", `definition-${i}`);
  expect(guard.suppressionOf("a", "definition-0")).toBeUndefined();
  expect(guard.suppressionOf("a", "definition-1")).toBeDefined();
});
