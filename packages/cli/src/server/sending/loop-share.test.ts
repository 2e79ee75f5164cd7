import { systemClock } from "@holdfast/core";
import { expect, test } from "vitest";
import { LoopShare } from "./loop-share.ts";

// R7.6
test("all readers together write no more than their share per turn of the event loop, and each is served", async () => {
  let turns = 0;
  const clock = {
    ...systemClock,
    yield: async () => {
      await systemClock.yield();
      turns++;
    },
  };
  const share = new LoopShare({ clock, bytesPerTurn: 1_000 });
  const writtenIn = new Map<number, number>();
  const done: number[] = [];
  const read = async (reader: number) => {
    for (let piece = 0; piece < 20; piece++) {
      await share.take(250);
      writtenIn.set(turns, (writtenIn.get(turns) ?? 0) + 250);
    }
    done.push(reader);
  };
  await Promise.all([read(0), read(1), read(2), read(3), read(4), read(5)]);
  expect(done).toHaveLength(6);
  expect(Math.max(...writtenIn.values())).toBeLessThanOrEqual(1_000);
  // 6 readers, each of 20 pieces of a quarter of the share.
  expect(turns).toBeGreaterThanOrEqual(29);
});
