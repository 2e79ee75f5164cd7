import { VirtualClock } from "@holdfast/testing";
import { expect, test } from "vitest";
import { WatchPace } from "./watch-pace.ts";

function setUp(random: () => number, { heartbeatMs = 10_000, watchTimeoutMs = 300_000 } = {}) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const pace = new WatchPace({
    clock,
    random,
    heartbeatMs: () => heartbeatMs,
    watchTimeoutMs,
    signal: stop.signal,
  });
  const lengthOf = async (wait: Promise<void>) => {
    const startedAt = clock.monotonic();
    await clock.until(wait, 60_000);
    return clock.monotonic() - startedAt;
  };
  return { pace, stop, lengthOf };
}

test.each([
  [0, {}, 6],
  [0.99, {}, 8],
  [0.5, { watchTimeoutMs: 3_000 }, 3],
  [0.5, { heartbeatMs: 500 }, 1],
])(
  "a watch ends before a heartbeat is due, within its limit, and lasts at least one second",
  (random, options, seconds) => {
    expect(setUp(() => random, options).pace.watchSeconds()).toBe(seconds);
  },
);

test("waits increase with each attempt, up to one second or a third of the heartbeat", async () => {
  const { pace, lengthOf } = setUp(() => 0.5);
  const lengths: number[] = [];
  for (let inRow = 1; inRow <= 6; inRow++) lengths.push(await lengthOf(pace.pause(inRow)));
  expect(lengths).toEqual([50, 100, 200, 400, 500, 500]);
  const short = setUp(() => 0.5, { heartbeatMs: 600 });
  expect(await short.lengthOf(short.pace.pause(6))).toBe(100);
});

test("a wait ends when its signal aborts", async () => {
  const { pace, stop } = setUp(() => 0.5);
  const wait = pace.waitRandomly(10_000);
  stop.abort();
  await expect(wait).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
});
