import { systemClock, type Clock } from "@holdfast/core";
import { VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { BoundedQueue } from "./bounded-queue.ts";

const createQueue = (limit: number, clock: Clock = new VirtualClock()) =>
  new BoundedQueue({ limit, patienceMs: 1_000, clock });

/** Starts `count` tasks that end when their function in `ends` is called. */
function startTasks(queue: BoundedQueue, count: number) {
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const results = Array.from({ length: count }, (_, index) =>
    queue.run(() => {
      started.push(index);
      return new Promise<number>((resolve) => ends.push(() => resolve(index)));
    }),
  );
  return { started, ends, results };
}

const settle = () => systemClock.yield();

test("runs at most `limit` tasks at the same time, in call order", async () => {
  const { started, ends, results } = startTasks(createQueue(2), 4);
  await settle();
  expect(started).toEqual([0, 1]);
  ends[1]!();
  await settle();
  expect(started).toEqual([0, 1, 2]);
  ends[0]!();
  ends[2]!();
  await settle();
  ends[3]!();
  expect(await Promise.all(results)).toEqual([0, 1, 2, 3]);
});

test("a task that fails makes room for the next one", async () => {
  const queue = createQueue(1);
  const failing = queue.run(() => Promise.reject(new Error("failed")));
  const next = queue.run(() => Promise.resolve(7));
  await expect(failing).rejects.toThrow("failed");
  expect(await next).toBe(7);
  expect(await queue.run(() => Promise.resolve(8))).toBe(8);
});

test("a task whose signal aborts while it waits is not started, and takes no turn", async () => {
  const queue = createQueue(1);
  const { ends, results } = startTasks(queue, 1);
  const abort = new AbortController();
  const aborted = queue.run(() => Promise.resolve("started"), abort.signal).catch((error: unknown) => error);
  const next = queue.run(() => Promise.resolve("next"));
  await settle();
  abort.abort();
  expect(await aborted).toMatchObject({ code: "LIFECYCLE_ABORTED" });
  ends[0]!();
  expect(await next).toBe("next");
  expect(await results[0]).toBe(0);
});

// R7.1
test("tasks that hang do not block the others for longer than the patience", async () => {
  const clock = new VirtualClock();
  const queue = createQueue(2, clock);
  const { ends, results } = startTasks(queue, 2);
  let isDone = false;
  const next = queue.run(() => Promise.resolve()).then(() => (isDone = true));
  await clock.advance(999);
  expect(isDone).toBe(false);
  await clock.advance(1);
  await next;
  for (const end of ends) end();
  await Promise.all(results);
  // A task that was overdue must not make room a second time when it ends.
  const { started } = startTasks(queue, 3);
  await settle();
  expect([started, clock.pendingTimers]).toEqual([[0, 1], 2]);
});
