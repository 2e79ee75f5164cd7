import { VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { withDueTime } from "./with-due-time.ts";

test("yields an empty batch at a due time, and loses no batch of the source", async () => {
  const clock = new VirtualClock();
  const next = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  async function* source(): AsyncGenerator<readonly number[], void> {
    yield [1];
    await next[0]!.promise;
    yield [2];
    await next[1]!.promise;
  }
  let dueAt: number | undefined;
  const got: (readonly number[])[] = [];
  const reading = (async () => {
    for await (const batch of withDueTime(source(), { clock, nextAt: () => dueAt })) {
      if (batch.length === 0) dueAt = undefined;
      if (batch[0] === 1) dueAt = 100;
      got.push(batch);
    }
  })();
  await clock.advance(99);
  expect(got).toEqual([[1]]);
  await clock.advance(1);
  expect(got).toEqual([[1], []]);
  next[0]!.resolve();
  await clock.advance(1);
  expect(got).toEqual([[1], [], [2]]);
  next[1]!.resolve();
  await reading;
  expect(clock.pendingTimers).toBe(0);
});
