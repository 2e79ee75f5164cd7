import { describe, expect, test } from "vitest";
import { idsOf, node, nodes, positionsOf, setUpFollow } from "../../test/follow-setup.ts";

// R7.4
describe("follow", () => {
  test("has the members of the daemon, and every change of them", async () => {
    const { clock, daemon, topology, end } = setUpFollow();
    daemon.publish(nodes("a", "b"));
    expect(idsOf((await clock.until(topology.ready(), 1_000)).members)).toBe("a b");
    daemon.publish([node("b", 81), node("c")]);
    await clock.settle();
    expect(idsOf(topology.members())).toBe("b c");
    expect(topology.members().get("b")?.port).toBe(81);
    expect(topology.state.snapshot?.hash).toBe(daemon.hub.state.snapshot?.hash);
    expect(topology.state).toMatchObject({ status: "ready", isStale: false });
    await end();
  });

  test("an empty topology that is no longer current there is not current here, and the next daemon takes over", async () => {
    const { clock, daemons, topology, events, end } = setUpFollow({ daemons: 2 });
    const [first, second] = daemons;
    first!.publish([]);
    second!.publish(nodes("a"));
    await clock.advance(1_000);
    expect(topology.state).toMatchObject({ status: "empty", isStale: false });
    first!.updates.send({ availability: "degraded", reason: "the backend does not confirm its content" });
    await clock.advance(20_000);
    expect(events.filter(({ kind }) => kind === "provider_changed")).toMatchObject([
      { from: "one", to: "two", reason: "health_degraded" },
    ]);
    expect(idsOf(topology.members())).toBe("a");
    await end();
  });

  test("nodes that are blocked there are blocked here, and free again when they are free there", async () => {
    const { clock, daemon, topology, end } = setUpFollow();
    daemon.publish(nodes("a", "b"));
    await clock.settle();
    daemon.hub.block("a");
    await clock.settle();
    expect(topology.state.snapshot).toMatchObject({
      blockedNodes: ["a"],
      hash: daemon.hub.state.snapshot?.hash,
    });
    daemon.hub.restore("a");
    daemon.publish(nodes("a", "b", "c"));
    await clock.settle();
    expect(topology.state.snapshot).toMatchObject({
      blockedNodes: [],
      hash: daemon.hub.state.snapshot?.hash,
    });
    await end();
  });

  test.each([
    [
      "degraded",
      { availability: "degraded", reason: "all providers fail" },
      "degraded",
      /all providers fail/,
    ],
    [
      "unavailable",
      { availability: "unavailable", reason: "no provider can serve" },
      "unavailable",
      /no provider can serve/,
    ],
  ] as const)(
    "a daemon that is %s is not taken for current: the content is held",
    async (_, update, status, reason) => {
      const { clock, daemon, topology, end } = setUpFollow();
      daemon.publish(nodes("a"));
      await clock.settle();
      daemon.updates.send(update);
      await clock.advance(60_000);
      expect(topology.state).toMatchObject({ status, isStale: true });
      expect(topology.state.statusReason).toMatch(reason);
      expect(topology.state.snapshot?.members.size).toBe(1);
      daemon.publish(nodes("a", "b"));
      await clock.advance(60_000);
      expect(topology.state).toMatchObject({ status: "ready", isStale: false });
      await end();
    },
  );

  test("a daemon that is connected to before it has started is followed through the change of its epoch", async () => {
    const { clock, daemon, topology, warnings, end } = setUpFollow();
    await clock.settle();
    daemon.tamper = (frame) => frame.replaceAll("run-1", "final");
    daemon.publish(nodes("a"));
    await clock.settle();
    expect(idsOf(topology.members())).toBe("a");
    expect([positionsOf(daemon), warnings]).toEqual([["-"], []]);
    await end();
  });

  test("a daemon that has nothing yet is waited for, and is not an empty topology", async () => {
    const { clock, daemon, topology, end } = setUpFollow();
    await clock.advance(60_000);
    expect(() => topology.members()).toThrow(/TOPOLOGY_(NO_SNAPSHOT|UNAVAILABLE)/);
    daemon.publish([]);
    await clock.settle();
    expect(topology.state.status).toBe("empty");
    await end();
  });
});
