import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import type { TopologyNotice, LeaseTick } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { OwnershipLane, type OwnershipLaneOptions } from "./ownership-lane.ts";
import { RecordingPorts, type RecordedCall } from "../test/recording-ports.ts";
import { nodes, ScriptedHub } from "../test/scripted-hub.ts";

// R3.6: a consumer that hangs or always fails does not harm other consumers and is never waited for without a limit.

function setUp(options: Partial<OwnershipLaneOptions> = {}) {
  const clock = new VirtualClock();
  const source = new ScriptedHub(clock);
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
  const reportOf = (port: string) => lane.ports.find((report) => report.port === port)!;
  const codes = () => [
    ...new Set(ports.errors.map(({ code, details }) => `${code} ${String(details["port"])}`)),
  ];
  const seenBy = (port: string) => ports.take().filter((line) => line.startsWith(port));
  return { clock, source, ports, lane, reportOf, codes, seenBy };
}

const hang = () => Promise.withResolvers<void>().promise;

/** A lane whose ports have acknowledged tick 1 and the status `ready`. */
async function ready(options: Partial<OwnershipLaneOptions> = {}) {
  const setup = setUp(options);
  setup.source.snapshot(nodes("a"));
  setup.source.status("ready");
  await setup.clock.settle();
  setup.ports.take();
  return setup;
}

/** The ways in which a port can fail. */
const FAULTS: readonly (readonly [string, (call: RecordedCall) => Promise<void>])[] = [
  ["hangs", hang],
  ["rejects", () => Promise.reject(new Error("broken"))],
  [
    "hangs until its signal aborts",
    ({ options: { signal } }) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
  ],
];

describe.each(FAULTS)("while Partition %s", (_, fault) => {
  test("Placement receives every notice and the newest snapshot", async () => {
    const { clock, source, ports, reportOf, codes, seenBy } = await ready();
    ports.behave = (call) => (call.name.startsWith("partition") ? fault(call) : undefined);
    source.streamTerminated();
    source.providerChanged("primary", "backup");
    source.snapshot(nodes("b"), "backup");
    source.status("unavailable");
    await clock.advance(30_000);
    expect(seenBy("placement")).toEqual([
      "placement.notify 3",
      "placement.notify 4",
      "placement.applySnapshot 5",
      "placement.notify 6",
    ]);
    expect(reportOf("partition")).toMatchObject({ isBehind: true, seqNo: 1 });
    expect(reportOf("placement")).toMatchObject({ isBehind: false, seqNo: 5 });
    expect(codes()).toContain("LIFECYCLE_CONSUMER_BEHIND partition");

    // Once Partition is known to be behind, Placement does not wait for it.
    source.status("ready");
    await clock.settle();
    expect(seenBy("placement")).toEqual(["placement.notify 7"]);
  });

  test("placement requests are admitted with the snapshot that Placement has acknowledged", async () => {
    const { clock, source, ports, lane } = await ready();
    ports.behave = (call) => (call.name.startsWith("partition") ? fault(call) : undefined);
    source.snapshot(nodes("b"));
    const admission = lane.placement!.admit();
    await clock.advance(30_000);
    expect(await admission).toMatchObject({ seqNo: 3 });
  });

  test("and then works again, it receives the newest snapshot, its leases and the status, in order", async () => {
    // R3.3: the leases wait for a tick that both ports have acknowledged.
    const { clock, source, ports, reportOf, seenBy } = await ready();
    ports.behave = (call) => (call.name.startsWith("partition") ? fault(call) : undefined);
    source.snapshot(nodes("b"));
    await clock.advance(60_000);
    source.snapshot(nodes("b", "c"));
    source.status("degraded");
    source.snapshot(nodes("c"));
    await clock.advance(600_000);
    ports.behave = () => undefined;
    expect(reportOf("partition").isBehind).toBe(true);
    ports.take();
    await clock.advance(60_000);
    const seen = seenBy("partition");
    expect(seen.slice(-2)).toEqual(["partition.applySnapshot 6", "partition.publishLeases 6"]);
    expect(seen).not.toContain("partition.applySnapshot 3");
    expect(reportOf("partition")).toMatchObject({ isBehind: false, seqNo: 6, waiting: 0 });
    const status = ports.started.findLast(({ name }) => name === "partition.notify");
    expect(status?.argument).toMatchObject({ to: "degraded" });

    // From then on Placement waits for it again.
    source.snapshot(nodes("d"));
    await clock.settle();
    expect(ports.take()).toEqual([
      "partition.applySnapshot 7",
      "placement.applySnapshot 7",
      "partition.publishLeases 7",
    ]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe.each(FAULTS)("while Placement %s", (_, fault) => {
  test("Partition receives every notice and the newest snapshot, and no lease of another tick", async () => {
    const { clock, source, ports, seenBy } = await ready();
    ports.behave = (call) => (call.name.startsWith("placement") ? fault(call) : undefined);
    source.snapshot(nodes("b"));
    source.status("unavailable");
    await clock.advance(90_000);
    source.snapshot(nodes("c"));
    await clock.settle();
    expect(seenBy("partition")).toEqual([
      "partition.applySnapshot 3",
      "partition.notify 4",
      "partition.applySnapshot 5",
    ]);
  });

  test("a request is refused at its deadline, and not before", async () => {
    const { clock, source, ports, lane } = await ready({ admitTimeoutMs: 3_000 });
    ports.behave = (call) => (call.name.startsWith("placement") ? fault(call) : undefined);
    source.snapshot(nodes("b"));
    const admission = lane.placement!.admit().catch((error: unknown) => error);
    await clock.advance(3_000);
    expect(await admission).toMatchObject({
      code: "LIFECYCLE_CONSUMER_BEHIND",
      details: { port: "placement", seqNo: 3, acknowledged: 1 },
    });
  });
});

describe("a notice that a port never accepts", () => {
  test("is parked, counted and reported; the next ones are delivered, to the other port at once", async () => {
    // F1
    const { clock, source, ports, reportOf, codes } = await ready({ calls: { tries: 3 } });
    ports.behave = ({ name, seqNo }) =>
      name === "partition.notify" && seqNo === 3 ? Promise.reject(new Error("no")) : undefined;
    source.streamTerminated();
    source.providerChanged("primary", "backup");
    source.snapshot(nodes("b"), "backup");
    await clock.advance(10_000);
    expect(ports.take()).toEqual([
      "placement.notify 3",
      "partition.notify 4",
      "placement.notify 4",
      "partition.applySnapshot 5",
      "placement.applySnapshot 5",
      "partition.publishLeases 5",
    ]);
    expect(ports.started.filter(({ name, seqNo }) => name === "partition.notify" && seqNo === 3).length).toBe(
      3,
    );
    expect(reportOf("partition")).toMatchObject({ parked: 1, isBehind: false, failures: 3 });
    expect(ports.errors.at(-1)).toMatchObject({
      code: "LIFECYCLE_NOTICE_PARKED",
      details: { port: "partition", kind: "stream_terminated", seqNo: 3, parked: 1 },
    });
    expect(codes()).toEqual(["LIFECYCLE_CONSUMER_FAILED partition", "LIFECYCLE_NOTICE_PARKED partition"]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("is delivered once the port works again if it is the newest status, with the status that the port knows as `from`", async () => {
    const { clock, source, ports, reportOf } = await ready({ calls: { tries: 2 } });
    ports.behave = ({ name }) => (name === "placement.notify" ? Promise.reject(new Error("no")) : undefined);
    source.status("degraded");
    await clock.advance(5_000);
    source.status("unavailable");
    await clock.advance(60_000);
    expect(reportOf("placement").parked).toBe(2);
    ports.behave = () => undefined;
    ports.take();
    await clock.advance(60_000);
    expect(ports.take()).toEqual(["placement.notify 4"]);
    const { argument } = ports.started.at(-1)!;
    expect(argument as TopologyNotice).toMatchObject({ from: "ready", to: "unavailable" });
    expect(clock.pendingTimers).toBe(0);
  });

  test("is not delivered if it is no longer true when the port works again", async () => {
    const { clock, source, ports } = await ready({ calls: { tries: 2 } });
    ports.behave = ({ name }) => (name === "placement.notify" ? Promise.reject(new Error("no")) : undefined);
    source.status("degraded");
    await clock.advance(5_000);
    source.status("ready");
    await clock.advance(60_000);
    ports.behave = () => undefined;
    ports.take();
    await clock.advance(60_000);
    expect(ports.take()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("does not keep a drain from ending", async () => {
    const { clock, source, ports, lane } = await ready({ calls: { tries: 2 } });
    ports.behave = ({ name }) => (name === "placement.notify" ? Promise.reject(new Error("no")) : undefined);
    source.status("draining");
    const { signal } = new AbortController();
    expect(await clock.until(lane.drain({ signal }), 10_000)).toEqual({ unfinished: [] });
    await lane[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test("waits in a queue of bounded length", async () => {
    const { clock, source, ports, reportOf } = await ready({ calls: { maxWaiting: 5 } });
    ports.behave = ({ name }) => (name.startsWith("partition") ? hang() : undefined);
    for (let i = 0; i < 20; i++) source.streamTerminated();
    await clock.advance(10_000);
    expect(reportOf("partition")).toMatchObject({ waiting: 5, parked: 14 });
    expect(reportOf("placement")).toMatchObject({ waiting: 0, parked: 0 });
  });
});

describe("a call in progress", () => {
  test("is reported with its port when it takes long, before its deadline and until it returns after it", async () => {
    // G11
    const { clock, source, ports, reportOf } = await ready();
    const late = Promise.withResolvers<void>();
    ports.behave = ({ name }) => (name === "placement.applySnapshot" ? late.promise : undefined);
    source.snapshot(nodes("b"));
    await clock.advance(5_000);
    expect(ports.errors).toMatchObject([
      {
        code: "LIFECYCLE_CONSUMER_BEHIND",
        details: { port: "placement", call: "applySnapshot", seqNo: 3, slowAfterMs: 5_000 },
      },
    ]);
    expect(reportOf("placement").inProgress).toEqual({ call: "applySnapshot", seqNo: 3, forMs: 5_000 });
    await clock.advance(60_000);
    expect(reportOf("placement").overdue).toBeGreaterThan(1);
    expect(reportOf("placement").inProgress).toMatchObject({ call: "applySnapshot", forMs: 65_000 });
    expect(ports.errors.filter(({ code }) => code === "LIFECYCLE_CONSUMER_TIMEOUT").at(0)?.details).toEqual({
      port: "placement",
      call: "applySnapshot",
      seqNo: 3,
      attempt: 1,
      timeoutMs: 10_000,
    });
    late.resolve();
    await clock.advance(60_000);
    expect(reportOf("placement")).toMatchObject({ overdue: 0, inProgress: undefined, isBehind: false });
  });
});

describe("leases that Placement publishes outside applySnapshot", () => {
  test("are published after the tick they were computed with and before the next one", async () => {
    // R3.3
    const { clock, source, ports, lane } = await ready();
    const published = lane.placement!.publishLeases([{ resource: "shard-1", nodeId: "a" }]);
    source.snapshot(nodes("a", "b"));
    await published;
    await clock.settle();
    expect(ports.take()).toEqual([
      "partition.publishLeases 1",
      "partition.applySnapshot 3",
      "placement.applySnapshot 3",
      "partition.publishLeases 3",
    ]);
    const call = ports.started.find(({ name }) => name === "partition.publishLeases");
    expect(call?.seqNo).toBe(1);
  });

  test("carry epoch, seqNo and hash of that tick", async () => {
    const { ports, source, lane } = await ready();
    const leases = [{ resource: "shard-1", nodeId: "a", expiresAt: 9 }];
    await lane.placement!.publishLeases(leases, { seqNo: 1 });
    expect(ports.acknowledged.at(-1)?.argument).toEqual({
      epoch: "epoch-1",
      seqNo: 1,
      snapshotHash: source.state.snapshot!.hash,
      leases,
    } satisfies LeaseTick);
  });

  test("may be awaited within notify, and within applySnapshot of their tick", async () => {
    const setup = setUp();
    const { clock, source, ports } = setup;
    const publish = (seqNo?: number) =>
      setup.lane.placement!.publishLeases([{ resource: "shard-1", nodeId: "a" }], { seqNo });
    ports.behave = async ({ name, seqNo, argument }) => {
      if (name === "placement.notify" && "kind" in argument && argument.kind === "provider_changed")
        await publish();
      if (name === "placement.applySnapshot") await publish(seqNo);
    };
    source.snapshot(nodes("a"));
    await clock.settle();
    source.providerChanged("primary", "backup");
    source.snapshot(nodes("b"), "backup");
    await clock.settle();
    expect(ports.take()).toEqual([
      "partition.applySnapshot 1",
      "partition.publishLeases 1",
      "placement.applySnapshot 1",
      "partition.publishLeases 1",
      "partition.notify 2",
      "partition.publishLeases 1",
      "placement.notify 2",
      "partition.applySnapshot 3",
      "partition.publishLeases 3",
      "placement.applySnapshot 3",
      "partition.publishLeases 3",
    ]);
    expect(ports.errors).toEqual([]);
  });

  test("of an older tick are refused with both sequence numbers", async () => {
    const { clock, source, lane } = await ready();
    source.snapshot(nodes("b"));
    await clock.settle();
    await expect(lane.placement!.publishLeases([], { seqNo: 1 })).rejects.toMatchObject({
      code: "ORDER_STALE_SEQUENCE",
      details: { received: 1, last: 3 },
    });
  });

  test("are refused as soon as the next tick has been passed to Partition", async () => {
    const { clock, source, ports, lane } = await ready();
    const slow = Promise.withResolvers<void>();
    ports.behave = ({ name }) => (name === "partition.applySnapshot" ? slow.promise : undefined);
    source.snapshot(nodes("b"));
    await clock.settle();
    await expect(lane.placement!.publishLeases([])).rejects.toMatchObject({
      code: "ORDER_STALE_SEQUENCE",
      details: { received: 1, last: 3 },
    });
    slow.resolve();
    await clock.settle();
  });

  test("replace waiting leases, whose call rejects", async () => {
    const { clock, ports, lane } = await ready();
    const slow = Promise.withResolvers<void>();
    ports.behave = ({ name }) => (name === "partition.publishLeases" ? slow.promise : undefined);
    const first = lane.placement!.publishLeases([{ resource: "first", nodeId: "a" }]);
    await clock.settle();
    const second = lane.placement!.publishLeases([{ resource: "second", nodeId: "a" }]);
    await expect(first).rejects.toMatchObject({
      code: "ORDER_STALE_SEQUENCE",
      details: { received: 1, last: 1 },
    });
    slow.resolve();
    await second;
    expect(ports.acknowledged.at(-1)?.argument).toMatchObject({ leases: [{ resource: "second" }] });
  });

  test("that Partition does not accept in time are published once it works again", async () => {
    const { clock, ports, lane } = await ready();
    ports.behave = ({ name }) => (name === "partition.publishLeases" ? hang() : undefined);
    const published = lane.placement!.publishLeases([]).catch((error: unknown) => error);
    await clock.advance(10_000);
    expect(await published).toMatchObject({
      code: "LIFECYCLE_CONSUMER_BEHIND",
      details: { port: "partition" },
    });
    ports.behave = () => undefined;
    await clock.advance(60_000);
    expect(ports.take()).toEqual(["partition.publishLeases 1"]);
  });

  test("are refused before the first tick, for an unknown tick, when the signal aborts and after the end", async () => {
    const { lane } = setUp();
    await expect(lane.placement!.publishLeases([])).rejects.toMatchObject({ code: "TOPOLOGY_NO_SNAPSHOT" });
    const { lane: running, ports } = await ready();
    await expect(running.placement!.publishLeases([], { seqNo: 9 })).rejects.toMatchObject({
      code: "VALIDATION_MALFORMED",
    });
    await expect(running.placement!.publishLeases([], { signal: AbortSignal.abort() })).rejects.toMatchObject(
      { code: "LIFECYCLE_ABORTED" },
    );
    ports.behave = hang;
    const waiting = running.placement!.publishLeases([]).catch((error: unknown) => error);
    await running[Symbol.asyncDispose]();
    expect(await waiting).toMatchObject({ code: "LIFECYCLE_STOPPED" });
    await expect(running.placement!.publishLeases([])).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
  });

  test("while Partition is behind are published at the first tick both have, also when Placement does not change ownership", async () => {
    const { clock, source, ports, lane, seenBy } = await ready({
      placement: { applySnapshot: () => undefined, notify: () => undefined },
    });
    ports.behave = ({ name }) => (name.startsWith("partition") ? hang() : undefined);
    source.snapshot(nodes("b"));
    await clock.advance(10_000);
    const published = lane.placement!.publishLeases([{ resource: "r", nodeId: "b" }]).catch(() => "late");
    await clock.advance(10_000);
    expect(await published).toBe("late");
    source.snapshot(nodes("c"));
    await clock.advance(100);
    ports.behave = () => undefined;
    await clock.advance(60_000);
    expect(seenBy("partition")).toEqual(["partition.applySnapshot 4", "partition.publishLeases 4"]);
  });
});
