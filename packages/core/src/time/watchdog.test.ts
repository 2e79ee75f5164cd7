import { expect, test } from "vitest";
import { ManualClock } from "../../test/manual-clock.ts";
import { Watchdog } from "./watchdog.ts";

test("calls back once, after the whole time without a reset, with one timer", () => {
  const clock = new ManualClock();
  const silences: number[] = [];
  using watchdog = new Watchdog(clock, 100, () => silences.push(clock.monotonic()));
  for (let reset = 0; reset < 5; reset++) {
    clock.advance(99);
    watchdog.reset();
    expect(clock.pendingTimers).toBe(1);
  }
  clock.advance(99);
  expect(silences).toEqual([]);
  clock.advance(1_000);
  expect([silences, clock.pendingTimers]).toEqual([[595], 0]);
});

test("leaves no timer behind when it is disposed of", () => {
  const clock = new ManualClock();
  new Watchdog(clock, 100, () => expect.unreachable())[Symbol.dispose]();
  clock.advance(1_000);
  expect(clock.pendingTimers).toBe(0);
});
