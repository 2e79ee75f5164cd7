import { describe, expect, test } from "vitest";
import { idsOf, nodes, positionsOf, setUpFollow } from "../../test/follow-setup.ts";

// R7.4
describe("a connection that breaks", () => {
  test("is opened again and continues after the last event, without the whole state", async () => {
    const { clock, daemon, topology, events, end } = setUpFollow();
    daemon.publish(nodes("a"));
    await clock.settle();
    const { epoch, seqNo } = daemon.hub.state;
    daemon.disconnect();
    await clock.settle();
    expect(topology.state).toMatchObject({ status: "degraded", isStale: true });
    daemon.publish(nodes("a", "b"));
    await clock.advance(10_000);
    expect(positionsOf(daemon)).toEqual(["-", `${epoch}:${seqNo}`]);
    expect(idsOf(topology.members())).toBe("a b");
    const contents = events.flatMap((event) =>
      event.kind === "snapshot" ? idsOf(event.snapshot.members) : [],
    );
    expect(contents).toEqual(["a", "a b"]);
    await end();
  });

  test("gets the state again when the daemon no longer has the missed events, or was restarted", async () => {
    const { clock, daemon, topology, end } = setUpFollow({ retainedEvents: 3 });
    daemon.publish(nodes("a"));
    await clock.settle();
    daemon.mode = "down";
    daemon.disconnect();
    for (let i = 0; i < 10; i++) daemon.publish(nodes("a", `b${i}`));
    daemon.mode = "up";
    await clock.advance(40_000);
    expect(idsOf(topology.members())).toBe("a b9");
    daemon.restart();
    daemon.publish(nodes("c"));
    await clock.advance(40_000);
    expect(topology.state.snapshot?.hash).toBe(daemon.hub.state.snapshot?.hash);
    expect(topology.state.status).toBe("ready");
    await end();
  });

  test("that reports its content as stale does not confirm it", async () => {
    const { clock, daemon, topology, end } = setUpFollow();
    daemon.publish(nodes("a"));
    await clock.settle();
    daemon.updates.send({ availability: "degraded", reason: "the backend does not respond" });
    await clock.advance(60_000);
    expect(topology.state).toMatchObject({ status: "degraded", isStale: true });
    expect(topology.confirmedMsAgo()).toBe(60_000);
    daemon.publish(nodes("a"));
    await clock.advance(6_000);
    expect(topology.confirmedMsAgo()).toBeLessThanOrEqual(5_000);
    await end();
  });

  test("that is silent is given up after the timeout", async () => {
    const { clock, daemon, topology, end } = setUpFollow();
    daemon.publish(nodes("a"));
    await clock.settle();
    daemon.mode = "hanging";
    await clock.advance(10_000);
    expect(topology.state.isStale).toBe(false);
    await clock.advance(10_000);
    expect(topology.state).toMatchObject({ isStale: true, statusCause: { code: "STREAM_SILENT" } });
    expect(topology.confirmedMsAgo()).toBeGreaterThan(10_000);
    daemon.mode = "up";
    await clock.advance(60_000);
    expect(topology.state.isStale).toBe(false);
    expect(topology.confirmedMsAgo()).toBeLessThanOrEqual(5_000);
    await end();
  });
});
