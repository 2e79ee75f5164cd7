import { systemClock } from "@holdfast/core";
import { expect, test } from "vitest";
import { memory } from "./memory.ts";

test("a memory provider can be controlled only after it is registered", () => {
  const spec = memory({ members: [{ id: "a", host: "a.test", port: 1 }] }, { id: "primary" });
  expect(() => spec.provider).toThrow("LIFECYCLE_NOT_STARTED");
  const adapter = spec.createAdapter();
  const descriptor = {
    id: "primary",
    kind: spec.kind,
    priority: 1,
    params: adapter.params.parse(spec.params),
  };
  const provider = adapter.create(descriptor, { clock: systemClock, random: () => 0, heartbeatMs: 1_000 });
  spec.onRegistered?.(provider);
  expect(spec.provider).toBe(provider);
  expect(spec.provider.members.size).toBe(1);
});

test("two memory providers have the same adapter", () => {
  expect(memory().createAdapter).toBe(memory().createAdapter);
});
