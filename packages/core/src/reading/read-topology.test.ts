import { describe, expect, test } from "vitest";
import { readSnapshots, waitForState, waitUntilReady } from "./read-topology.ts";
import { WrittenLog } from "../written-log.test-support.ts";

describe("readSnapshots", () => {
  test("yields the present snapshot first, skips overtaken ones and ends when the topology stops", async () => {
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

  test("ends when the signal aborts, while it waits and before it begins", async () => {
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

describe("waitForState", () => {
  test("checks at once and after every event", async () => {
    const log = new WrittenLog();
    log.publish("a");
    expect((await waitForState(log, ({ seqNo }) => seqNo === 1)).seqNo).toBe(1);
    const waiting = waitForState(log, ({ status }) => status === "degraded");
    log.turn("unavailable");
    log.turn("degraded");
    expect((await waiting).seqNo).toBe(3);
    expect(log.listeners.size).toBe(0);
  });

  test("rejects with what the predicate threw, with LIFECYCLE_STOPPED and with LIFECYCLE_ABORTED", async () => {
    const log = new WrittenLog();
    const failure = new Error("the predicate failed");
    const fails = () => {
      throw failure;
    };
    await expect(waitForState(log, fails)).rejects.toBe(failure);
    const stop = new AbortController();
    const aborted = waitForState(log, () => false, stop);
    stop.abort();
    await expect(aborted).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    await expect(waitForState(log, () => true, stop)).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    const stopped = waitForState(log, () => false);
    log.turn("stopped");
    await expect(stopped).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    expect(log.listeners.size).toBe(0);
  });
});

describe("waitUntilReady", () => {
  test("resolves with the snapshot when the topology is ready or degraded, not when it is empty or unavailable", async () => {
    const log = new WrittenLog();
    let isReady = false;
    const waiting = waitUntilReady(log).finally(() => (isReady = true));
    log.turn("degraded"); // without a snapshot
    log.turn("empty");
    log.turn("unavailable");
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    expect(isReady).toBe(false);
    log.publish("a", "b");
    expect((await waiting).members.size).toBe(2);
    log.turn("degraded");
    expect((await waitUntilReady(log)).members.size).toBe(2);
  });
});
