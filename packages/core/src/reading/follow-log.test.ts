import { describe, expect, test } from "vitest";
import { followLog } from "./follow-log.ts";
import { ManualClock } from "../../test/manual-clock.ts";
import type { TopologyEvent } from "../contracts/log/topology-event.ts";
import { WrittenLog } from "../../test/written-log.ts";

const START = { epoch: "e1", seqNo: 0 };

async function collect(events: AsyncIterable<TopologyEvent>): Promise<readonly number[]> {
  const seqNos: number[] = [];
  for await (const event of events) seqNos.push(event.seqNo);
  return seqNos;
}

describe("followLog", () => {
  test("yields the kept events and then every new event once, and ends after `stopped`", async () => {
    const log = new WrittenLog();
    log.publish("a");
    const collected = collect(followLog({ log, from: START }));
    await Promise.resolve();
    log.publish("b");
    log.turn("stopped");
    expect(await collected).toEqual([1, 2, 3]);
    expect(log.listeners.size).toBe(0);
  });

  test("continues after the given position", async () => {
    const log = new WrittenLog();
    for (const id of ["a", "b", "c"]) log.publish(id);
    log.turn("stopped");
    expect(await collect(followLog({ log, from: { epoch: "e1", seqNo: 2 } }))).toEqual([3, 4]);
  });

  test("yields the events that the log already holds before it ends with its signal", async () => {
    const log = new WrittenLog();
    const stop = new AbortController();
    const collected = collect(followLog({ log, from: START, signal: stop.signal }));
    await Promise.resolve();
    log.publish("a");
    stop.abort();
    expect(await collected).toEqual([1]);
    expect(log.listeners.size).toBe(0);
  });

  test("an event that is appended while the reader is busy is not lost", async () => {
    const log = new WrittenLog();
    log.publish("a");
    const seen: number[] = [];
    for await (const event of followLog({ log, from: START })) {
      seen.push(event.seqNo);
      if (event.seqNo < 5) log.publish(`n${event.seqNo}`);
      else if (event.seqNo === 5) log.turn("stopped");
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test("rejects with STREAM_EXPIRED when the log no longer holds the next event, or is of another epoch", async () => {
    const log = new WrittenLog(2);
    for (const id of ["a", "b", "c"]) log.publish(id);
    await expect(collect(followLog({ log, from: START }))).rejects.toMatchObject({ code: "STREAM_EXPIRED" });
    const other = { epoch: "e0", seqNo: 3 };
    await expect(collect(followLog({ log, from: other }))).rejects.toMatchObject({ code: "STREAM_EXPIRED" });
    expect(log.listeners.size).toBe(0);
  });

  test("yields `idle` when there was no event for `idleMs`, and leaves no timer behind", async () => {
    const log = new WrittenLog();
    const clock = new ManualClock();
    const events = followLog({ log, from: START, clock, idleMs: 1_000 });
    const idle = events.next();
    await Promise.resolve();
    clock.advance(1_000);
    expect(await idle).toEqual({ done: false, value: "idle" });
    const next = events.next();
    await Promise.resolve();
    log.publish("a");
    expect(await next).toMatchObject({ value: { seqNo: 1 } });
    await events.return();
    expect([clock.pendingTimers, log.listeners.size]).toEqual([0, 0]);
  });
});
