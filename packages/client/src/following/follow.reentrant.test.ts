import { createSeededRandom, MemorySnapshotStore, VirtualClock } from "@holdfast/testing";
import { createClusterNode, createSnapshot, MemberSet, type TopologyEvent } from "@holdfast/core";
import { expect, test } from "vitest";
import { FakeDaemon } from "../../test/fake-daemon.ts";
import { follow } from "./follow.ts";

const members = [{ id: "a", host: "a.test", port: 80 }];

const known = {
  snapshot: createSnapshot({
    providerId: "one",
    members: MemberSet.from(members.map(createClusterNode)),
    observedAt: 0,
  }),
  confirmedAt: 0,
  source: "http://one",
};

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  "a listener may close the topology during event %i: nothing is left, and no event follows but the end",
  async (at) => {
    const clock = new VirtualClock();
    const daemon = new FakeDaemon({ clock });
    const store = new MemorySnapshotStore();
    await store.save(known);
    const topology = follow({
      url: "http://one",
      clock,
      random: createSeededRandom(3),
      transport: daemon.transport,
      lastKnownGood: { store },
    });
    let closing: Promise<void> | undefined;
    const events: TopologyEvent[] = [];
    topology.onEvent(({ seqNo }) => {
      if (seqNo === at) closing = topology.close();
      throw new Error("a faulty listener");
    });
    topology.onEvent((event) => events.push(event));
    await clock.settle();
    daemon.publish(members);
    await clock.advance(1_000);
    daemon.publish([]);
    await clock.advance(1_000);
    daemon.disconnect();
    await clock.advance(30_000);
    await clock.until(topology.close(), 60_000);
    await closing;
    expect(events.map(({ seqNo }) => seqNo)).toEqual(events.map((_, index) => index + 1));
    const statuses = events.flatMap((event) => (event.kind === "status_changed" ? event.to : []));
    expect(statuses.slice(-2)).toEqual(["draining", "stopped"]);
    if (closing !== undefined) {
      // What the daemon's message had already brought is delivered; nothing is after the end has begun.
      const end = events.findIndex((event) => event.kind === "status_changed" && event.to === "draining");
      expect(events.length - end).toBe(2);
    }
    expect(daemon.openConnections).toBe(0);
    expect(clock.pendingTimers).toBe(0);
    await daemon.hub[Symbol.asyncDispose]();
  },
);

test("a daemon whose state loses its content on one connection does not confirm the old content", async () => {
  const clock = new VirtualClock();
  const daemon = new FakeDaemon({ clock });
  const topology = follow({
    url: "http://one",
    clock,
    random: createSeededRandom(3),
    transport: daemon.transport,
  });
  daemon.publish(members);
  await clock.settle();
  expect(topology.state).toMatchObject({ status: "ready" });
  const state = { epoch: "other", seqNo: 0, status: "starting", reason: "no snapshot yet", isStale: false };
  daemon.send(`event: state\ndata: ${JSON.stringify(state)}\n\n`);
  await clock.settle();
  expect(topology.state).toMatchObject({ status: "degraded", isStale: true });
  await clock.until(topology.close(), 60_000);
  await daemon.hub[Symbol.asyncDispose]();
});
