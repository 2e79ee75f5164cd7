import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import {
  MemberSet,
  type SnapshotEvent,
  type TopologyNotice,
  type LeaseTick,
  type SnapshotTick,
} from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { OwnershipLane, type OwnershipLaneOptions } from "./ownership-lane.ts";
import { RecordingPorts } from "../test/recording-ports.ts";
import { nodes, ScriptedHub } from "../test/scripted-hub.ts";

function setUp(options: Partial<OwnershipLaneOptions> = {}, prepare?: (source: ScriptedHub) => void) {
  const clock = new VirtualClock();
  const source = new ScriptedHub(clock);
  prepare?.(source);
  const ports = new RecordingPorts();
  const lane = new OwnershipLane({
    source,
    placement: ports.placement,
    partition: ports.partition,
    clock,
    random: createSeededRandom(1),
    onError: (error) => void ports.errors.push(error),
    ...options,
  });
  return { clock, source, ports, lane };
}

const hang = () => Promise.withResolvers<void>().promise;
const signal = new AbortController().signal;

describe("a tick", () => {
  test("goes to Partition, then Placement, then its leases to Partition, all with the same seqNo", async () => {
    // R3.1, R3.3
    const { clock, source, ports } = setUp();
    source.snapshot(nodes("a", "b"));
    await clock.settle();
    expect(ports.acknowledged.map(({ name, seqNo }) => `${name} ${seqNo}`)).toEqual([
      "partition.applySnapshot 1",
      "placement.applySnapshot 1",
      "partition.publishLeases 1",
    ]);
    const { hash } = source.state.snapshot!;
    expect(ports.acknowledged[1]?.argument).toMatchObject({ epoch: "epoch-1", snapshot: { hash } });
    expect(ports.acknowledged[2]?.argument).toEqual({
      epoch: "epoch-1",
      seqNo: 1,
      snapshotHash: hash,
      leases: [
        { resource: "shard of a", nodeId: "a" },
        { resource: "shard of b", nodeId: "b" },
      ],
    } satisfies LeaseTick);
  });

  test("ends only when its leases are published, also when newer events arrive and publishing fails several times", async () => {
    // R3.3
    const { clock, source, ports } = setUp();
    let failures = 5;
    ports.behave = async ({ name }) => {
      if (name === "partition.publishLeases" && failures-- > 0) throw new Error("busy");
    };
    source.snapshot(nodes("a"));
    await clock.settle();
    source.snapshot(nodes("a", "b"));
    source.streamTerminated();
    await clock.advance(60_000);
    expect(ports.take()).toEqual([
      "partition.applySnapshot 1",
      "placement.applySnapshot 1",
      "partition.publishLeases 1",
      "partition.applySnapshot 2",
      "placement.applySnapshot 2",
      "partition.publishLeases 2",
      "partition.notify 3",
      "placement.notify 3",
    ]);
  });

  test("carries the status at its arrival, and the delta from the last snapshot that the port acknowledged", async () => {
    const { clock, source, ports } = setUp();
    ports.behave = ({ name, seqNo }) => {
      if (name === "placement.applySnapshot" && seqNo === 2) throw new Error("not now");
    };
    source.snapshot(nodes("a"));
    const first = source.state.snapshot;
    await clock.settle();
    source.snapshot(nodes("a", "b"));
    const second = source.state.snapshot;
    await clock.settle();
    source.status("degraded");
    source.snapshot(nodes("b", "c"));
    await clock.advance(60_000);
    const ticks = ports.acknowledged.filter(({ seqNo }) => seqNo === 4);
    const [partition, placement] = ticks.map(({ argument }) => argument as SnapshotTick);
    expect([partition?.previousHash, placement?.previousHash]).toEqual([second?.hash, first?.hash]);
    expect(partition?.delta).toMatchObject({ added: nodes("c"), removed: nodes("a"), updated: [] });
    expect(placement?.delta).toMatchObject({ added: nodes("b", "c"), removed: nodes("a") });
    expect(placement?.delta).toBe(placement?.delta);
    expect([partition?.status, placement?.status]).toEqual(["degraded", "degraded"]);
  });

  test("reuses the delta of the log if no snapshot was overtaken", async () => {
    const { clock, source, ports } = setUp();
    for (const names of [["a"], ["a", "b"]]) {
      const event = source.snapshot(nodes(...names));
      await clock.settle();
      const tick = ports.acknowledged.findLast(({ name }) => name === "placement.applySnapshot");
      expect((tick!.argument as SnapshotTick).delta).toBe((event as SnapshotEvent).delta);
    }
  });

  test("has no previousHash if it is the first", async () => {
    const { clock, source, ports } = setUp();
    source.snapshot(nodes("a", "b"));
    await clock.settle();
    const tick = ports.acknowledged[0]?.argument as SnapshotTick;
    expect(tick.previousHash).toBeUndefined();
    expect(tick.delta).toMatchObject({ added: nodes("a", "b"), removed: [], blocked: [] });
  });

  test("publishes nothing when Placement returns no leases", async () => {
    const { clock, source, ports } = setUp({
      placement: { applySnapshot: () => undefined, notify: () => undefined },
    });
    source.snapshot(nodes("a"));
    await clock.settle();
    expect(ports.take()).toEqual(["partition.applySnapshot 1"]);
  });

  test.each([
    ["placement", ["partition.applySnapshot 1", "partition.notify 2"]],
    ["partition", ["placement.applySnapshot 1", "placement.notify 2"]],
  ])("works without %s", async (absent, calls) => {
    const { clock, source, ports, lane } = setUp({ [absent]: undefined });
    source.snapshot(nodes("a"));
    source.status("ready");
    await clock.settle();
    expect(ports.take()).toEqual(calls);
    expect([lane.placement === undefined, lane.partition === undefined]).toEqual([
      absent === "placement",
      absent === "partition",
    ]);
  });
});

describe("a slow or failing port", () => {
  test("receives only the newest snapshot, and every notice in order", async () => {
    // R3.4
    const { clock, source, ports } = setUp();
    const slow = Promise.withResolvers<void>();
    ports.behave = ({ seqNo }) => (seqNo === 1 ? slow.promise : undefined);
    source.snapshot(nodes("a"));
    await clock.settle();
    source.snapshot(nodes("a", "b"));
    source.streamTerminated();
    source.providerChanged("primary", "backup");
    source.snapshot(nodes("b"), "backup");
    source.status("degraded");
    source.snapshot(nodes("b", "c"), "backup");
    source.status("ready");
    await clock.settle();
    expect(ports.take()).toEqual([]);
    slow.resolve();
    await clock.settle();
    expect(ports.take()).toEqual([
      "partition.applySnapshot 1",
      "placement.applySnapshot 1",
      "partition.publishLeases 1",
      "partition.notify 3",
      "placement.notify 3",
      "partition.notify 4",
      "placement.notify 4",
      "partition.notify 6",
      "placement.notify 6",
      "partition.applySnapshot 7",
      "placement.applySnapshot 7",
      "partition.publishLeases 7",
      "partition.notify 8",
      "placement.notify 8",
    ]);
  });

  test("a failover is notified with from, to, reason, seqNo and hash, before the new provider's snapshot", async () => {
    // R3.4
    const { clock, source, ports } = setUp();
    source.snapshot(nodes("a"));
    const snapshotHash = source.state.snapshot?.hash;
    await clock.settle();
    ports.take();
    const event = source.providerChanged("primary", "backup");
    source.snapshot(nodes("b"), "backup");
    await clock.settle();
    expect(ports.started.find(({ seqNo }) => seqNo === 2)?.argument).toBe(event);
    expect(event).toMatchObject({ from: "primary", to: "backup", reason: "stream_ended", snapshotHash });
    expect(ports.take().slice(0, 3)).toEqual([
      "partition.notify 2",
      "placement.notify 2",
      "partition.applySnapshot 3",
    ]);
  });

  test("is retried with backoff, until a newer snapshot overtakes the refused one", async () => {
    const { clock, source, ports } = setUp({
      random: () => 0.5,
      backoff: { initialMs: 1_000, maxMs: 4_000 },
      calls: { timeoutMs: 60_000 },
    });
    ports.behave = ({ name, seqNo }) => {
      if (name === "placement.applySnapshot" && seqNo === 1) throw new Error("refused");
    };
    const times: number[] = [];
    const behave = ports.behave;
    ports.behave = (call) => {
      if (call.name === "placement.applySnapshot") times.push(clock.monotonic());
      return behave(call);
    };
    source.snapshot(nodes("a"));
    await clock.advance(8_000);
    expect(times).toEqual([0, 500, 1_500, 3_500, 5_500, 7_500]);
    source.status("degraded");
    await clock.advance(2_000);
    expect(times.length).toBe(7);
    source.snapshot(nodes("b"));
    await clock.advance(2_000);
    expect(ports.take()).toEqual([
      "partition.applySnapshot 1",
      "partition.notify 2",
      "placement.notify 2",
      "partition.applySnapshot 3",
      "placement.applySnapshot 3",
      "partition.publishLeases 3",
    ]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("that recovered is retried with the initial backoff when it fails the next time", async () => {
    const { clock, source, ports } = setUp({
      random: () => 0.999,
      backoff: { initialMs: 100, maxMs: 60_000 },
    });
    let failures = 8;
    ports.behave = () => {
      if (failures-- > 0) throw new Error("busy");
    };
    source.status("degraded");
    await clock.advance(600_000);
    expect(ports.take().length).toBe(2);
    failures = 1;
    source.status("ready");
    await clock.advance(100);
    expect(ports.take().length).toBe(2);
  });

  test("that refuses a snapshot receives the newer one, as Partition does", async () => {
    const { clock, source, ports } = setUp();
    ports.behave = ({ seqNo }) => {
      if (seqNo === 1) throw new Error("refused");
    };
    source.snapshot(nodes("a"));
    await clock.settle();
    source.snapshot(nodes("b"));
    await clock.advance(60_000);
    expect(ports.take()[0]).toBe("partition.applySnapshot 2");
  });

  test("that fails every snapshot is not called more often when snapshots arrive more often", async () => {
    const { clock, source, ports } = setUp({
      random: () => 0.999,
      backoff: { initialMs: 100, maxMs: 10_000 },
    });
    ports.behave = ({ name }) => {
      if (name === "partition.applySnapshot") throw new Error("refused");
    };
    for (let i = 0; i < 100; i++) {
      source.snapshot(nodes(`n${i}`));
      await clock.advance(100);
    }
    expect(ports.started.length).toBeLessThan(9);
  });

  test.each<[string, () => Promise<void>]>([
    [
      "throws at once",
      () => {
        throw new Error("broken");
      },
    ],
    ["rejects", () => Promise.reject(new Error("broken"))],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- ports are user code
    ["rejects with no error", () => Promise.reject("broken")],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- as above
    ["rejects with nothing", () => Promise.reject(undefined)],
  ])("that %s is reported with cause, port, call, number and attempt", async (_, fail) => {
    // R5.5
    const { clock, source, ports } = setUp();
    let failures = 2;
    ports.behave = ({ name }) => (name === "placement.notify" && failures-- > 0 ? fail() : undefined);
    source.status("unavailable");
    await clock.advance(10_000);
    expect(ports.take()).toEqual(["partition.notify 1", "placement.notify 1"]);
    expect(ports.errors.map(({ code, details }) => [code, details])).toEqual(
      [1, 2].map((attempt) => [
        "LIFECYCLE_CONSUMER_FAILED",
        { port: "placement", call: "notify", seqNo: 1, attempt },
      ]),
    );
    const { cause } = ports.errors[0]!;
    expect(cause instanceof Error ? cause.message : cause).toBeOneOf(["broken", undefined]);
  });

  test("is retried as usual when the error handler throws or rejects", async () => {
    for (const onError of [() => Promise.reject(new Error("handler")), () => JSON.parse("{")]) {
      const { clock, source, ports } = setUp({ onError });
      let failures = 1;
      ports.behave = () => {
        if (failures-- > 0) throw new Error("busy");
      };
      source.snapshot(nodes("a"));
      await clock.advance(1_000);
      expect(ports.take().length).toBe(3);
    }
  });

  test("that never returns keeps one snapshot waiting, however many arrive", async () => {
    const { clock, source, ports, lane } = setUp();
    ports.behave = hang;
    let members = MemberSet.from(nodes("a"));
    source.snapshot(members);
    await clock.settle();
    for (let i = 0; i < 50; i++) {
      members = members.apply({ upsert: nodes(`n${i}`) });
      source.snapshot(members);
    }
    await clock.settle();
    expect(ports.started.length).toBe(1);
    const deadline = AbortSignal.abort();
    expect(await lane.drain({ signal: deadline })).toEqual({
      unfinished: [
        "ownership: snapshot of tick 1 (in partition.applySnapshot)",
        "ownership: snapshot of tick 51",
      ],
    });
  });
});

describe("the order of the log", () => {
  test("an old or repeated event is refused and reaches no port", async () => {
    // R3.1
    const { clock, source, ports } = setUp();
    const first = source.snapshot(nodes("a"));
    const second = source.snapshot(nodes("a", "b"));
    await clock.settle();
    ports.take();
    source.emit(second);
    source.emit(first);
    await clock.settle();
    expect(ports.take()).toEqual([]);
    expect(ports.errors.map(({ code, details }) => [code, details])).toEqual(
      [2, 1].map((received) => [
        "ORDER_STALE_SEQUENCE",
        { received, last: 2, receivedEpoch: "epoch-1", lastEpoch: "epoch-1" },
      ]),
    );
  });

  test("a port that blocks a node within its call receives the new snapshot afterwards", async () => {
    const { clock, source, ports } = setUp();
    ports.behave = ({ name, seqNo }) => {
      if (name === "partition.applySnapshot" && seqNo === 1) source.block("a");
    };
    source.snapshot(nodes("a"));
    await clock.settle();
    expect(ports.take()).toEqual([
      "partition.applySnapshot 1",
      "placement.applySnapshot 1",
      "partition.publishLeases 1",
      "partition.applySnapshot 2",
      "placement.applySnapshot 2",
      "partition.publishLeases 2",
    ]);
    expect(ports.started.at(-2)?.argument).toMatchObject({ delta: { blocked: ["a"] } });
  });

  test("no port is called within the call stack of the emitter", async () => {
    const { clock, source, ports } = setUp();
    source.snapshot(nodes("a"));
    expect(ports.started).toEqual([]);
    await clock.settle();
    expect(ports.started.length).toBe(3);
  });

  test("health changes are not delivered", async () => {
    const { clock, source, ports } = setUp();
    source.healthChanged();
    source.snapshot(nodes("a"));
    await clock.settle();
    expect(ports.take()[0]).toBe("partition.applySnapshot 2");
  });
});

describe("unavailability of every provider", () => {
  test("is notified to Placement and Partition, as is the recovery", async () => {
    // R5.3
    const { clock, source, ports } = setUp();
    source.snapshot(nodes("a"));
    source.status("ready");
    await clock.settle();
    ports.take();
    const down = source.status("unavailable");
    await clock.settle();
    const up = source.status("ready");
    await clock.settle();
    expect(ports.acknowledged.map(({ argument }) => argument)).toEqual([down, down, up, up]);
  });
});

describe("a lane created late", () => {
  test("brings its ports to the current state at once", async () => {
    const { clock, ports } = setUp({}, (source) => {
      source.snapshot(nodes("a"));
      source.snapshot(nodes("a", "b"));
      source.status("degraded");
    });
    await clock.settle();
    expect(ports.acknowledged.map(({ name, seqNo }) => `${name} ${seqNo}`)).toEqual([
      "partition.applySnapshot 2",
      "placement.applySnapshot 2",
      "partition.publishLeases 2",
      "partition.notify 3",
      "placement.notify 3",
    ]);
    expect(ports.acknowledged[0]?.argument).toMatchObject({ status: "degraded" });
    expect(ports.acknowledged[3]?.argument).toMatchObject({ kind: "status_changed", to: "degraded" });
  });

  test("refuses events that the initial state already includes", async () => {
    // R3.1
    const { clock, source, ports } = setUp({}, (early) => void early.snapshot(nodes("a")));
    await clock.settle();
    ports.take();
    const { epoch, snapshot } = source.state;
    const delta = { added: [], updated: [], removed: [], blocked: [], unblocked: [] };
    source.emit({ kind: "snapshot", epoch, seqNo: 1, at: 0, snapshot: snapshot!, delta });
    await clock.settle();
    expect(ports.take()).toEqual([]);
    expect(ports.errors[0]).toMatchObject({
      code: "ORDER_STALE_SEQUENCE",
      details: { received: 1, last: 1 },
    });
  });

  test("notifies its ports of the status `unavailable` if that is the initial state", async () => {
    // R5.3
    const { clock, ports } = setUp({}, (source) => source.status("unavailable"));
    await clock.settle();
    const notice = ports.acknowledged[0]?.argument as TopologyNotice;
    expect(notice).toMatchObject({
      kind: "status_changed",
      from: "starting",
      to: "unavailable",
      reason: "scripted unavailable",
      seqNo: 1,
    });
  });
});

describe("draining", () => {
  test("delivers waiting items, then refuses new ones and keeps the last snapshot", async () => {
    // R3.5
    const { clock, source, ports, lane } = setUp();
    const slow = Promise.withResolvers<void>();
    ports.behave = ({ seqNo }) => (seqNo === 1 ? slow.promise : undefined);
    source.snapshot(nodes("a"));
    await clock.settle();
    source.snapshot(nodes("a", "b"));
    const last = source.state.snapshot;
    source.status("draining");
    const drained = lane.drain({ signal });
    source.snapshot(nodes("c"));
    slow.resolve();
    expect(await drained).toEqual({ unfinished: [] });
    expect(ports.take().slice(3)).toEqual([
      "partition.applySnapshot 2",
      "placement.applySnapshot 2",
      "partition.publishLeases 2",
      "partition.notify 3",
      "placement.notify 3",
    ]);
    expect(ports.errors.map(({ code }) => code)).toEqual(["LIFECYCLE_SHUTTING_DOWN"]);
    expect(lane.placement?.lastSnapshot).toBe(last);
    expect(lane.partition?.lastSnapshot).toBe(last);
    source.status("stopped");
    await clock.settle();
    expect(ports.take()).toEqual(["partition.notify 5", "placement.notify 5"]);
  });

  test("keeps retrying a failing port until it succeeds", async () => {
    const { clock, source, ports, lane } = setUp();
    let failures = 3;
    ports.behave = () => {
      if (failures-- > 0) throw new Error("busy");
    };
    source.snapshot(nodes("a"));
    const drained = lane.drain({ signal });
    expect(await clock.until(drained, 60_000)).toEqual({ unfinished: [] });
    expect(ports.take().length).toBe(3);
  });

  test("ends at its deadline, abandons the call in progress and reports what did not finish", async () => {
    // R3.5
    const { clock, source, ports, lane } = setUp();
    const stuck = Promise.withResolvers<void>();
    ports.behave = ({ name }) => (name === "placement.applySnapshot" ? stuck.promise : undefined);
    source.snapshot(nodes("a"));
    await clock.settle();
    source.status("draining");
    const deadline = new AbortController();
    const drained = lane.drain({ signal: deadline.signal });
    await clock.settle();
    const call = ports.started.at(-1);
    expect(call?.options.signal.aborted).toBe(false);
    deadline.abort();
    expect(await drained).toEqual({
      unfinished: [
        "ownership: snapshot of tick 1 (in placement.applySnapshot)",
        "ownership: status_changed of tick 2",
      ],
    });
    expect(call?.options.signal.reason).toMatchObject({ code: "LIFECYCLE_DRAIN_DEADLINE" });
    expect(source.listeners.size).toBe(0);
    ports.take();
    // A late rejection must not become an unhandled rejection or start anything.
    stuck.reject(new Error("too late"));
    await clock.advance(60_000);
    expect([ports.take(), ports.errors, clock.pendingTimers]).toEqual([[], [], 0]);
  });

  test("an idle lane is drained at once, also when the deadline has passed", async () => {
    const { lane } = setUp();
    expect(await lane.drain({ signal: AbortSignal.abort() })).toEqual({ unfinished: [] });
  });

  test("may be called twice", async () => {
    const { clock, source, ports, lane } = setUp();
    source.snapshot(nodes("a"));
    const both = Promise.all([lane.drain({ signal }), lane.drain({ signal })]);
    expect(await both).toEqual([{ unfinished: [] }, { unfinished: [] }]);
    expect(ports.take().length).toBe(3);
    await clock.settle();
  });
});

describe("disposal", () => {
  test("leaves no listener and no timer, calls no port afterwards, and may be repeated", async () => {
    const { clock, source, ports, lane } = setUp();
    ports.behave = () => Promise.reject(new Error("busy"));
    source.snapshot(nodes("a"));
    await clock.settle();
    expect(clock.pendingTimers).toBeGreaterThan(0);
    await lane[Symbol.asyncDispose]();
    await lane[Symbol.asyncDispose]();
    expect([clock.pendingTimers, source.listeners.size, ports.started.length]).toEqual([0, 0, 1]);
    source.snapshot(nodes("b"));
    await clock.advance(60_000);
    expect(ports.started.length).toBe(1);
  });

  test("abandons a call that hangs", async () => {
    const { clock, source, ports, lane } = setUp();
    ports.behave = hang;
    source.snapshot(nodes("a"));
    await clock.settle();
    await lane[Symbol.asyncDispose]();
    expect(ports.started[0]?.options.signal.reason).toMatchObject({ code: "LIFECYCLE_STOPPED" });
    expect(ports.errors).toEqual([]);
  });

  test("before the first call prevents any call of the ports", async () => {
    const { clock, source, ports, lane } = setUp();
    source.snapshot(nodes("a"));
    await lane[Symbol.asyncDispose]();
    await clock.settle();
    expect(ports.started).toEqual([]);
  });
});
