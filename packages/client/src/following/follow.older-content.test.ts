import { MemorySnapshotStore } from "@holdfast/testing";
import { createClusterNode, createSnapshot, MemberSet, type ClusterNodeInput } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import type { FakeDaemon } from "../../test/fake-daemon.ts";
import { idsOf, node, nodes, setUpFollow } from "../../test/follow-setup.ts";

/** A daemon that was restarted with its last known good snapshot, which it read at `observedAt`, while its backend does not answer. */
function restartWith(daemon: FakeDaemon, members: readonly ClusterNodeInput[], observedAt: number): void {
  daemon.restart();
  const snapshot = createSnapshot({
    providerId: "backend",
    members: MemberSet.from(members.map(createClusterNode)),
    observedAt,
  });
  daemon.updates.send({ snapshot, availability: "degraded", reason: "serving the last known good snapshot" });
}

// R7.4
describe("a daemon that was restarted with stale content", () => {
  test("does not take a follower back in time: newer members stay until its backend answers", async () => {
    const { clock, daemon, topology, events, end } = setUpFollow();
    daemon.publish(nodes("a"));
    await clock.advance(1_000);
    const readAt = clock.now();
    await clock.advance(10_000);
    daemon.publish(nodes("a", "b"));
    await clock.advance(1_000);
    restartWith(daemon, nodes("a"), readAt);
    await clock.advance(60_000);
    expect(topology.state).toMatchObject({ status: "degraded", isStale: true });
    expect(topology.state.statusReason).toContain("older than what it had before");
    expect(topology.state.statusReason).toContain("serving the last known good snapshot");
    expect(idsOf(topology.state.snapshot?.members)).toBe("a b");
    daemon.publish(nodes("a", "c"));
    await clock.advance(1_000);
    expect(topology.state).toMatchObject({ status: "ready", isStale: false });
    const shown = events.flatMap((event) => (event.kind === "snapshot" ? idsOf(event.snapshot.members) : []));
    expect(shown).toEqual(["a", "a b", "a c"]);
    await end();
  });

  test("does not confirm that content in the moment before it reports that it is stale", async () => {
    const { clock, daemon, topology, events, end } = setUpFollow();
    daemon.publish(nodes("a", "b"));
    await clock.advance(10_000);
    daemon.restart();
    // Connected before the daemon has any content.
    await clock.advance(10_000);
    expect(daemon.openConnections).toBe(1);
    const count = events.length;
    const snapshot = createSnapshot({
      providerId: "backend",
      members: MemberSet.from(nodes("a").map(createClusterNode)),
      observedAt: 0,
    });
    daemon.updates.send({
      snapshot,
      availability: "degraded",
      reason: "serving the last known good snapshot",
    });
    await clock.advance(10_000);
    expect(idsOf(topology.state.snapshot?.members)).toBe("a b");
    expect(topology.state.isStale).toBe(true);
    const statuses = events
      .slice(count)
      .flatMap((event) => (event.kind === "status_changed" ? event.to : []));
    expect(statuses).not.toContain("ready");
    await end();
  });

  test("shows what is newer than what was confirmed, although it is stale", async () => {
    const { clock, daemon, topology, end } = setUpFollow();
    daemon.publish(nodes("a"));
    await clock.advance(1_000);
    daemon.mode = "down";
    daemon.disconnect();
    await clock.advance(2_000);
    restartWith(daemon, nodes("a", "b"), clock.now());
    daemon.mode = "up";
    await clock.advance(60_000);
    expect(topology.state).toMatchObject({ status: "degraded", isStale: true });
    expect(idsOf(topology.state.snapshot?.members)).toBe("a b");
    await end();
  });

  test("may be right about older content once it confirms it", async () => {
    const { clock, daemon, topology, end } = setUpFollow({ guards: { massRemoval: false } });
    daemon.publish([node("a"), node("b")]);
    await clock.advance(10_000);
    restartWith(daemon, nodes("a"), 0);
    daemon.updates.send({ availability: "available", isFresh: true });
    await clock.advance(30_000);
    expect(topology.state).toMatchObject({ status: "ready", isStale: false });
    expect(idsOf(topology.members())).toBe("a");
    await end();
  });

  test("keeps the newest of several stale contents", async () => {
    const { clock, daemon, topology, end } = setUpFollow();
    await clock.advance(1_000);
    restartWith(daemon, nodes("a", "b"), clock.now());
    await clock.advance(30_000);
    restartWith(daemon, nodes("a"), 0);
    await clock.advance(30_000);
    expect(idsOf(topology.state.snapshot?.members)).toBe("a b");
    await end();
  });

  test("does not take a follower back that was restarted with its own last known good snapshot", async () => {
    const store = new MemorySnapshotStore();
    const lastKnownGood = { store, saveEveryMs: 1_000 };
    const first = setUpFollow({ lastKnownGood });
    const { clock } = first;
    await clock.advance(5_000);
    first.daemon.publish(nodes("a", "b"));
    await clock.advance(5_000);
    await first.end();
    const again = setUpFollow({ lastKnownGood, clock });
    restartWith(again.daemon, nodes("a"), clock.now() - 7_000);
    await clock.advance(30_000);
    expect(again.topology.state.isStale).toBe(true);
    expect(idsOf(again.topology.state.snapshot?.members)).toBe("a b");
    restartWith(again.daemon, nodes("a", "c"), clock.now() - 1_000);
    await clock.advance(30_000);
    expect(idsOf(again.topology.state.snapshot?.members)).toBe("a c");
    await again.end();
  });

  test("is left for another daemon that is current", async () => {
    const { clock, daemons, topology, events, end } = setUpFollow({ daemons: 2 });
    const [one, two] = daemons as [FakeDaemon, FakeDaemon];
    for (const daemon of daemons) daemon.publish(nodes("a", "b"));
    await clock.advance(1_000);
    restartWith(one, nodes("a"), 0);
    two.publish(nodes("a", "b", "c"));
    await clock.advance(60_000);
    expect(topology.state).toMatchObject({ status: "ready", snapshot: { providerId: "two" } });
    expect(idsOf(topology.members())).toBe("a b c");
    const shown = events.flatMap((event) => (event.kind === "snapshot" ? idsOf(event.snapshot.members) : []));
    expect(shown).not.toContain("a");
    await end();
  });
});

// R7.4
test("a state that is a moment older than what was received before is not shown", async () => {
  const { clock, daemon, topology, events, end } = setUpFollow();
  daemon.publish(nodes("a"));
  await clock.advance(60_000);
  // A second follower makes the daemon keep this state for a second.
  const stop = new AbortController();
  await daemon.transport({ url: "http://one/events", headers: {}, signal: stop.signal });
  daemon.publish(nodes("a", "b"));
  await clock.settle();
  daemon.send("event: snapshot\ndata: {}\n\n");
  await clock.settle();
  expect(topology.state.status).toBe("degraded");
  const reconnected = topology.waitFor(({ isStale, status }) => !isStale && status === "ready");
  await clock.until(reconnected, 900);
  stop.abort();
  const shown = events.flatMap((event) => (event.kind === "snapshot" ? idsOf(event.snapshot.members) : []));
  expect(shown).toEqual(["a", "a b"]);
  await end();
});
