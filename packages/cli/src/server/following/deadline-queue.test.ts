import { VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { DeadlineQueue } from "./deadline-queue.ts";

function create() {
  const clock = new VirtualClock();
  const due: string[] = [];
  const onDue = (item: string) => void due.push(`${item} at ${clock.monotonic()}`);
  const queue = new DeadlineQueue<string>({ clock, delayMs: 100, onDue });
  return { clock, due, queue, startAt: clock.monotonic() };
}

test("each item is due after the delay since its last start, with one timer for all", async () => {
  const { clock, due, queue, startAt } = create();
  queue.start("a");
  await clock.advance(30);
  queue.start("b");
  queue.start("c");
  await clock.advance(30);
  queue.start("a");
  expect(clock.pendingTimers).toBe(1);
  await clock.advance(500);
  expect(due).toEqual([`b at ${startAt + 130}`, `c at ${startAt + 130}`, `a at ${startAt + 160}`]);
  expect([...queue.items, clock.pendingTimers]).toEqual([0]);
});

test("an item that is stopped is not due, and the last one takes the timer with it", async () => {
  const { clock, due, queue } = create();
  queue.start("a");
  queue.start("b");
  queue.stop("a");
  queue.stop("a");
  expect(clock.pendingTimers).toBe(1);
  queue.stop("b");
  expect(clock.pendingTimers).toBe(0);
  await clock.advance(500);
  expect(due).toEqual([]);
});

test("an item can be started again when it is due, and others stopped", async () => {
  const clock = new VirtualClock();
  let rounds = 0;
  const queue = new DeadlineQueue<string>({
    clock,
    delayMs: 10,
    onDue(item) {
      queue.stop("b");
      if (++rounds < 5) queue.start(item);
    },
  });
  queue.start("a");
  await clock.advance(5);
  queue.start("b");
  await clock.advance(1_000);
  expect(rounds).toBe(5);
  expect(clock.pendingTimers).toBe(0);
});
