import { VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { OwnSlots } from "./own-slots.ts";

test("a slot is free again when its query has ended by itself", () => {
  const slots = new OwnSlots(new VirtualClock(), 2);
  const [a, b] = [slots.take(50_000), slots.take(50_000)];
  expect(slots.free).toBe(0);
  a.settle();
  a[Symbol.dispose]();
  a[Symbol.dispose]();
  expect(slots.free).toBe(1);
  b.settle();
  b[Symbol.dispose]();
  expect(slots.free).toBe(2);
});

test("the slot of an aborted query stays occupied for as long as the agent keeps its connection", async () => {
  const clock = new VirtualClock();
  const slots = new OwnSlots(clock, 2);
  const slot = slots.take(50_000);
  await clock.advance(20_000);
  slot[Symbol.dispose]();
  expect(slots.free).toBe(1);
  expect(clock.pendingTimers).toBe(0);
  await clock.advance(29_999);
  expect(slots.free).toBe(1);
  await clock.advance(1);
  expect(slots.free).toBe(2);
});

test("a lower limit interrupts nothing", () => {
  const slots = new OwnSlots(new VirtualClock(), 2);
  const both = [slots.take(1), slots.take(1)];
  slots.setLimit(1);
  expect(slots.free).toBe(0);
  for (const slot of both) {
    slot.settle();
    slot[Symbol.dispose]();
  }
  expect(slots.free).toBe(1);
});
