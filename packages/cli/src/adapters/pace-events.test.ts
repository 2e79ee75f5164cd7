import { VirtualClock } from "@holdfast/testing";
import { sleep, systemClock } from "@holdfast/core";
import { expect, test } from "vitest";
import { paceEvents } from "./pace-events.ts";

async function* endless() {
  for (;;) yield "heartbeat";
}

// G11
test("a source without pauses does not block the event loop, and is ended", async () => {
  const clock = new VirtualClock();
  let count = 0;
  const reading = (async () => {
    for await (const _ of paceEvents(endless(), { clock, adapter: "./bad.mjs" })) count++;
  })();
  const outcome = reading.catch((error: unknown) => error);
  // If the source blocked the event loop, this line would never run.
  await systemClock.yield();
  expect(count).toBeLessThan(20_000);
  await clock.settle();
  expect(await outcome).toMatchObject({
    code: "STREAM_FAILED",
    message: expect.stringContaining('"./bad.mjs" sent more than 10000 events within a second'),
  });
});

test("a busy source that pauses is not ended", async () => {
  const clock = new VirtualClock();
  async function* busy() {
    for (let second = 0; second < 5; second++) {
      for (let event = 0; event < 5_000; event++) yield event;
      await sleep(1_000, { clock });
    }
  }
  let count = 0;
  const reading = (async () => {
    for await (const _ of paceEvents(busy(), { clock, adapter: "a" })) count++;
  })();
  await clock.until(reading, 10_000);
  expect(count).toBe(25_000);
});
