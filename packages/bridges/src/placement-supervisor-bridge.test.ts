import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import type { TopologyStatus } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { OwnershipLane } from "./ownership-lane.ts";
import { RecordingPorts } from "../test/recording-ports.ts";
import { nodes, ScriptedHub } from "../test/scripted-hub.ts";

function setUp() {
  const clock = new VirtualClock();
  const source = new ScriptedHub(clock);
  const ports = new RecordingPorts();
  const { placement } = ports;
  const lane = new OwnershipLane({ source, placement, clock, random: createSeededRandom(1) });
  return { clock, source, ports, lane, bridge: lane.placement! };
}

/** Returns a function that reads the state of a promise without waiting for it. */
function watch<T>(promise: Promise<T>): () => T | string {
  let outcome: T | string = "waiting";
  promise.then(
    (value) => (outcome = value),
    (error: { code: string }) => (outcome = error.code),
  );
  return () => outcome;
}

const REFUSALS: readonly (readonly [TopologyStatus, string])[] = [
  ["empty", "TOPOLOGY_EMPTY"],
  ["unavailable", "TOPOLOGY_UNAVAILABLE"],
  ["draining", "LIFECYCLE_SHUTTING_DOWN"],
  ["stopped", "LIFECYCLE_STOPPED"],
];

describe("a placement request", () => {
  test("that arrives after a snapshot waits until ownership was computed from it", async () => {
    // R3.1
    const { clock, source, ports, bridge } = setUp();
    source.snapshot(nodes("a"));
    source.status("ready");
    await clock.settle();
    const { hash } = source.state.snapshot!;
    expect(await bridge.admit()).toEqual({ seqNo: 1, snapshotHash: hash });

    const slow = Promise.withResolvers<void>();
    ports.behave = ({ name }) => (name === "placement.applySnapshot" ? slow.promise : undefined);
    source.snapshot(nodes("a", "b"));
    const request = watch(bridge.admit());
    await clock.settle();
    expect(request()).toBe("waiting");
    slow.resolve();
    await clock.settle();
    expect(request()).toEqual({ seqNo: 3, snapshotHash: source.state.snapshot?.hash });
  });

  test("that arrived before a newer snapshot does not wait for the newer one", async () => {
    const { clock, source, ports, bridge } = setUp();
    const first = Promise.withResolvers<void>();
    const second = Promise.withResolvers<void>();
    ports.behave = ({ name, seqNo }) =>
      name === "placement.applySnapshot" ? [first, second][seqNo === 2 ? 0 : 1]?.promise : undefined;
    source.status("ready");
    source.snapshot(nodes("a"));
    const early = watch(bridge.admit());
    await clock.settle();
    source.snapshot(nodes("b"));
    const late = watch(bridge.admit());
    first.resolve();
    await clock.settle();
    expect([early(), late()]).toEqual([expect.objectContaining({ seqNo: 2 }), "waiting"]);
    second.resolve();
    await clock.settle();
    expect(late()).toMatchObject({ seqNo: 3 });
  });

  test("whose snapshot is overtaken is admitted with the newer one", async () => {
    const { clock, source, ports, bridge } = setUp();
    ports.behave = ({ seqNo }) => {
      if (seqNo === 2) throw new Error("busy");
    };
    source.status("ready");
    source.snapshot(nodes("a"));
    const request = watch(bridge.admit());
    await clock.settle();
    source.snapshot(nodes("b"));
    await clock.advance(60_000);
    expect(request()).toMatchObject({ seqNo: 3 });
  });

  test("is admitted with the last snapshot while the topology is degraded", async () => {
    const { clock, source, bridge } = setUp();
    source.snapshot(nodes("a"));
    source.status("degraded");
    await clock.settle();
    expect(await bridge.admit()).toMatchObject({ seqNo: 1 });
  });

  test("is refused before the first snapshot", async () => {
    const { bridge } = setUp();
    await expect(bridge.admit()).rejects.toMatchObject({ code: "TOPOLOGY_NO_SNAPSHOT" });
  });

  test.each(REFUSALS)(
    "is refused at once while the topology is %s, and when that status begins",
    async (to, code) => {
      // R2.4, R3.5, R5.3
      const { clock, source, ports, bridge } = setUp();
      source.snapshot(nodes("a"));
      source.status("ready");
      await clock.settle();
      ports.behave = () => Promise.withResolvers<void>().promise;
      source.snapshot(nodes("b"));
      const waiting = [watch(bridge.admit()), watch(bridge.admit())];
      await clock.settle();
      expect(waiting.map((each) => each())).toEqual(["waiting", "waiting"]);
      source.status(to);
      await clock.settle();
      expect(waiting.map((each) => each())).toEqual([code, code]);
      await expect(bridge.admit()).rejects.toMatchObject({ code });
    },
  );

  test.each([["empty"], ["unavailable"]] as const)(
    "is admitted again once the status %s ends",
    async (status) => {
      // R2.4, R5.3
      const { clock, source, bridge } = setUp();
      source.status(status);
      source.snapshot(nodes("a"));
      source.status("ready");
      await clock.settle();
      expect(await bridge.admit()).toMatchObject({ seqNo: 2 });
    },
  );

  test("is refused once the lane drains, and when it stops", async () => {
    // R3.5
    const { clock, source, ports, lane, bridge } = setUp();
    source.status("ready");
    source.snapshot(nodes("a"));
    ports.behave = () => Promise.withResolvers<void>().promise;
    const waiting = watch(bridge.admit());
    const drained = lane.drain({ signal: new AbortController().signal });
    await clock.settle();
    expect(waiting()).toBe("LIFECYCLE_SHUTTING_DOWN");
    await expect(bridge.admit()).rejects.toMatchObject({ code: "LIFECYCLE_SHUTTING_DOWN" });
    await lane[Symbol.asyncDispose]();
    await drained;
    await expect(bridge.admit()).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
  });

  test("that waits is refused when the lane is disposed of", async () => {
    const { clock, source, lane, bridge } = setUp();
    source.status("ready");
    source.snapshot(nodes("a"));
    const waiting = watch(bridge.admit());
    await lane[Symbol.asyncDispose]();
    await clock.settle();
    expect(waiting()).toBe("LIFECYCLE_STOPPED");
  });

  test("whose signal has already aborted is not admitted", async () => {
    const { clock, source, bridge } = setUp();
    source.status("ready");
    source.snapshot(nodes("a"));
    await clock.settle();
    await expect(bridge.admit({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "LIFECYCLE_ABORTED",
    });
  });

  test("rejects when its signal aborts, before or while it waits", async () => {
    const { clock, source, ports, bridge } = setUp();
    ports.behave = () => Promise.withResolvers<void>().promise;
    source.status("ready");
    source.snapshot(nodes("a"));
    await expect(bridge.admit({ signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "LIFECYCLE_ABORTED",
    });
    const controller = new AbortController();
    const aborted = watch(bridge.admit({ signal: controller.signal }));
    const other = watch(bridge.admit());
    await clock.settle();
    controller.abort();
    await clock.settle();
    expect([aborted(), other()]).toEqual(["LIFECYCLE_ABORTED", "waiting"]);
  });
});

test("the last snapshot that the port acknowledged is kept through failure and shutdown", async () => {
  // R3.5
  const { clock, source, ports, lane, bridge } = setUp();
  expect(bridge.lastSnapshot).toBeUndefined();
  source.snapshot(nodes("a"));
  const { snapshot } = source.state;
  await clock.settle();
  ports.behave = () => Promise.reject(new Error("busy"));
  source.snapshot(nodes("b"));
  await clock.settle();
  expect(bridge.lastSnapshot).toBe(snapshot);
  await lane[Symbol.asyncDispose]();
  expect(bridge.lastSnapshot).toBe(snapshot);
});
