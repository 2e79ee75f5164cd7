import { expect, test } from "vitest";
import { resolveSettings } from "./topology-settings.ts";

test("a topology has the settings of the file, field by field, with its own in their place", () => {
  const file = {
    health: { timeoutMs: 9_000, maxErrors: 5 },
    guards: { massRemoval: { share: 0.3, holdMs: 60_000 } },
    lastKnownGood: { maxAgeMs: 5_000 },
  };
  expect(
    resolveSettings(file, {
      health: { maxErrors: 1 },
      guards: { massRemoval: { when: "always" }, removalDwellMs: 0 },
      lastKnownGood: false,
      validation: { probe: "warn" },
    }),
  ).toMatchObject({
    health: { timeoutMs: 9_000, maxErrors: 1, cooldownMs: 10_000 },
    guards: { massRemoval: { share: 0.3, holdMs: 60_000, when: "always" }, removalDwellMs: 0 },
    lastKnownGood: false,
    validation: { probe: "warn", probeTimeoutMs: 5_000 },
  });
  expect(resolveSettings(file)).toEqual(resolveSettings(file, { health: {} }));
});

test("what the file turns off, a topology can turn on, and the other way around", () => {
  const off = { lastKnownGood: false, guards: { massRemoval: false } };
  const on = { lastKnownGood: {}, guards: { massRemoval: {} } };
  expect(resolveSettings(off, on)).toEqual(resolveSettings({}));
  expect(resolveSettings(on, off)).toEqual(resolveSettings(off));
});
