import { describe, expect, test } from "vitest";
import { readSnapshots } from "./read-snapshots.ts";
import { WrittenLog } from "../../test/written-log.ts";

describe("readSnapshots", () => {
  test("yields the current snapshot first, skips overtaken ones and ends when the topology stops", async () => {
    const log = new WrittenLog();
    log.publish("a");
    const seen: number[] = [];
    for await (const { members } of readSnapshots(log)) {
      seen.push(members.size);
      if (seen.length > 1) continue;
      log.publish("a", "b");
      log.publish("a", "b", "c");
      log.turn("stopped");
    }
    expect(seen).toEqual([1, 3]);
    expect(log.listeners.size).toBe(0);
  });

  test("waits for the first snapshot and does not repeat one after an event of another kind", async () => {
    const log = new WrittenLog();
    const snapshots = readSnapshots(log);
    const first = snapshots.next();
    await Promise.resolve();
    log.turn("unavailable");
    log.publish("a");
    expect((await first).value?.members.size).toBe(1);
    const second = snapshots.next();
    log.turn("degraded");
    log.publish("a", "b");
    expect((await second).value?.members.size).toBe(2);
    await snapshots.return();
    expect(log.listeners.size).toBe(0);
  });

  test("ends when the signal aborts, while it waits and before it starts", async () => {
    const log = new WrittenLog();
    const stop = new AbortController();
    const waiting = readSnapshots(log, stop).next();
    await Promise.resolve();
    stop.abort();
    expect(await waiting).toEqual({ done: true, value: undefined });
    log.publish("a");
    expect(await readSnapshots(log, stop).next()).toEqual({ done: true, value: undefined });
    expect(log.listeners.size).toBe(0);
  });
});
