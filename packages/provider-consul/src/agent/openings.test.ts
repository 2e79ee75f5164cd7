import { ProvisioningError, sleep, type ErrorCode } from "@holdfast/core";
import { VirtualClock } from "@holdfast/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { Openings } from "./openings.ts";

const never = new AbortController().signal;
const LIMIT = 4;

let clock: VirtualClock;
let openings: Openings;
/** The number of openings that are running, and that have been started. */
let running: number;
let started: number;

beforeEach(() => {
  clock = new VirtualClock();
  openings = new Openings({ clock, random: () => 0.5, limit: LIMIT });
  running = started = 0;
});

/** An opening that takes 10 ms, and then fails with this code. */
function open(code?: ErrorCode, details: Readonly<Record<string, unknown>> = {}) {
  return async () => {
    started++;
    running++;
    try {
      await sleep(10, { clock });
      if (code !== undefined) throw new ProvisioningError(code, "it failed", { details });
    } finally {
      running--;
    }
  };
}

function runAll(count: number, work: () => Promise<void>): Promise<PromiseSettledResult<void>[]> {
  return Promise.allSettled(Array.from({ length: count }, () => openings.run(work, never)));
}

const codesOf = (results: readonly PromiseSettledResult<void>[]) =>
  results.map((result) => (result.status === "fulfilled" ? "ok" : (result.reason as ProvisioningError).code));

describe("Openings", () => {
  test("a limited number runs at the same time", async () => {
    const all = runAll(10, open());
    await clock.advance(0);
    expect(running).toBe(LIMIT);
    await clock.advance(30);
    expect(codesOf(await all)).toEqual(Array.from({ length: 10 }, () => "ok"));
  });

  test.each<ErrorCode>([
    "CONNECTIVITY_REFUSED",
    "CONNECTIVITY_TIMEOUT",
    "CONNECTIVITY_NO_LEADER",
    "CONNECTIVITY_OVERLOADED",
    "CONNECTIVITY_TLS",
  ])("%s of the agent reaches all that wait, without further requests", async (code) => {
    const all = runAll(1_000, open(code));
    await clock.advance(10);
    expect(new Set(codesOf(await all))).toEqual(new Set([code]));
    expect(started).toBe(LIMIT);
  });

  test.each<[ErrorCode, object]>([
    ["CONNECTIVITY_UNAUTHORIZED", { status: 403 }],
    ["CONNECTIVITY_REFUSED", { status: 500 }],
    ["STREAM_INVALID_DATA", {}],
  ])("%s with %j may concern one service only, so the others open", async (code, details) => {
    const failing = openings.run(open(code, { ...details }), never).catch((error: unknown) => error);
    const all = runAll(10, open());
    await clock.advance(50);
    expect(await failing).toMatchObject({ code });
    expect(codesOf(await all)).toEqual(Array.from({ length: 10 }, () => "ok"));
  });

  test("a timeout of one service is its own while the agent answers others", async () => {
    // R7.1
    const slow = openings.run(open("CONNECTIVITY_TIMEOUT"), never).catch((error: unknown) => error);
    await clock.advance(5);
    openings.answered();
    const all = runAll(10, open());
    await clock.advance(50);
    expect(await slow).toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
    expect(codesOf(await all)).toEqual(Array.from({ length: 10 }, () => "ok"));
  });

  test("while the agent fails, one opening at a time asks it, after a pause that grows up to a second", async () => {
    await Promise.all([runAll(1, open("CONNECTIVITY_REFUSED")), clock.advance(10)]);
    const startedAt: number[] = [];
    for (let i = 0; i < 8; i++) {
      const before = started;
      const all = runAll(100, open("CONNECTIVITY_REFUSED"));
      while (started === before) await clock.advance(1);
      startedAt.push(clock.monotonic());
      await clock.advance(10);
      expect(new Set(codesOf(await all))).toEqual(new Set(["CONNECTIVITY_REFUSED"]));
      expect(started).toBe(before + 1);
    }
    const pauses = startedAt.slice(1).map((at, i) => at - startedAt[i]! - 10);
    expect(pauses).toEqual([100, 200, 400, 500, 500, 500, 500]);
  });

  test("once the agent answers, all that wait open, as many at a time as before", async () => {
    await Promise.all([runAll(1, open("CONNECTIVITY_REFUSED")), clock.advance(10)]);
    const all = runAll(100, open());
    await clock.advance(50);
    expect(running).toBe(1);
    await clock.advance(10);
    expect(running).toBe(LIMIT);
    await clock.advance(1_000);
    expect(codesOf(await all)).toEqual(Array.from({ length: 100 }, () => "ok"));
  });

  test("a response to any other request ends the pause", async () => {
    await Promise.all([runAll(1, open("CONNECTIVITY_REFUSED")), clock.advance(10)]);
    const all = runAll(LIMIT, open());
    await clock.advance(0);
    expect(running).toBe(0);
    openings.answered();
    await clock.advance(0);
    expect(running).toBe(LIMIT);
    await clock.advance(10);
    await all;
    expect(clock.pendingTimers).toBe(0);
  });

  test("an abort while waiting leaves no timer, and the others undisturbed", async () => {
    await Promise.all([runAll(1, open("CONNECTIVITY_REFUSED")), clock.advance(10)]);
    const stop = new AbortController();
    const aborted = openings.run(open(), stop.signal).catch((error: unknown) => error);
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(1);
    stop.abort();
    expect(await aborted).toMatchObject({ code: "LIFECYCLE_ABORTED" });
    expect(clock.pendingTimers).toBe(0);
    const other = runAll(1, open());
    await clock.advance(100);
    expect(codesOf(await other)).toEqual(["ok"]);
    expect(started).toBe(2);
  });

  test("an aborted opening says nothing about the agent", async () => {
    const stop = new AbortController();
    const work = async () => {
      stop.abort();
      throw new ProvisioningError("CONNECTIVITY_TIMEOUT", "aborted");
    };
    await expect(openings.run(work, stop.signal)).rejects.toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
    const all = runAll(LIMIT, open());
    await clock.advance(0);
    expect(running).toBe(LIMIT);
    await clock.advance(10);
    await all;
  });
});
