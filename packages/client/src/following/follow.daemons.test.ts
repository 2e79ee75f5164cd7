import type { FakeDaemon } from "../../test/fake-daemon.ts";
import { describe, expect, test } from "vitest";
import { idsOf, nodes, setUpFollow } from "../../test/follow-setup.ts";

// R7.4
describe("several daemons", () => {
  test("only the first is connected; when it fails, the second takes over and says so", async () => {
    const { clock, daemons, topology, events, end } = setUpFollow({ daemons: 2 });
    const [one, two] = daemons as [FakeDaemon, FakeDaemon];
    one.publish(nodes("a", "b"));
    two.publish(nodes("a", "b"));
    await clock.advance(30_000);
    expect([one.openConnections, two.openConnections]).toEqual([1, 0]);
    one.mode = "down";
    one.disconnect();
    await clock.advance(60_000);
    expect(topology.state).toMatchObject({ status: "ready", snapshot: { providerId: "two" } });
    expect(events.find(({ kind }) => kind === "provider_changed")).toMatchObject({ from: "one", to: "two" });
    one.mode = "up";
    await clock.advance(60_000);
    expect(topology.state.snapshot?.providerId).toBe("one");
    expect(events.filter(({ kind }) => kind === "provider_changed")).toHaveLength(2);
    await end();
  });

  test("a daemon that drains is left at once", async () => {
    const { clock, daemons, topology, end } = setUpFollow({ daemons: 2 });
    const [one, two] = daemons as [FakeDaemon, FakeDaemon];
    one.publish(nodes("a"));
    two.publish(nodes("a"));
    await clock.advance(30_000);
    one.hub.drain("a deployment");
    one.mode = "down";
    await clock.settle();
    expect(topology.state.snapshot?.providerId).toBe("two");
    await end();
  });

  test("members that only the daemon before knew stay for a while, and are named", async () => {
    const { clock, daemons, topology, end } = setUpFollow({ daemons: 2 });
    const [one, two] = daemons as [FakeDaemon, FakeDaemon];
    one.publish(nodes("a", "b", "c"));
    two.publish(nodes("a", "b"));
    await clock.advance(30_000);
    one.mode = "down";
    one.disconnect();
    await clock.until(
      topology.waitFor(({ snapshot }) => snapshot?.providerId === "two"),
      60_000,
    );
    expect(topology.state).toMatchObject({
      status: "degraded",
      isStale: false,
      snapshot: { retained: ["c"] },
    });
    await clock.advance(15_000);
    expect(idsOf(topology.members())).toBe("a b");
    await end();
  });
});
