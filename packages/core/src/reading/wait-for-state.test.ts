import { describe, expect, test } from "vitest";
import { waitForState, waitUntilReady } from "./wait-for-state.ts";
import { WrittenLog } from "../../test/written-log.ts";

describe("waitForState", () => {
  test("checks immediately and after every event", async () => {
    const log = new WrittenLog();
    log.publish("a");
    expect((await waitForState(log, ({ seqNo }) => seqNo === 1)).seqNo).toBe(1);
    const waiting = waitForState(log, ({ status }) => status === "degraded");
    log.turn("unavailable");
    log.turn("degraded");
    expect((await waiting).seqNo).toBe(3);
    expect(log.listeners.size).toBe(0);
  });

  test("checks again after the moment of an event, because some changes have no separate event", async () => {
    const log = new WrittenLog();
    log.publish("a");
    let isApplied = false;
    const waiting = waitForState(log, () => isApplied);
    log.turn("degraded");
    isApplied = true;
    expect((await waiting).status).toBe("degraded");
  });

  test("rejects with the predicate's error, with LIFECYCLE_STOPPED and with LIFECYCLE_ABORTED", async () => {
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
