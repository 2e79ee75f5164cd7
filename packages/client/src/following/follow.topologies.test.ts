import { ERROR_TABLE } from "@holdfast/core";
import { VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { idsOf, nodes, setUpFollow } from "../../test/follow-setup.ts";
import { follow } from "./follow.ts";

// R7.1 R7.4
describe("a topology by name", () => {
  test("is followed alone, whatever happens to the daemon's other topologies", async () => {
    const { clock, daemon, topology, events, end } = setUpFollow({
      topology: "orders",
      topologies: ["billing", "orders"],
    });
    daemon.publish(nodes("a"), { topology: "orders" });
    daemon.publish(nodes("x", "y"), { topology: "billing" });
    await clock.settle();
    expect(daemon.requests[0]?.url).toBe("http://one/topologies/orders/events");
    expect(idsOf(topology.members())).toBe("a");
    const count = events.length;
    daemon.topology("billing").updates.send({ availability: "unavailable", reason: "its backends fail" });
    await clock.advance(1_000);
    expect(events).toHaveLength(count);
    expect(topology.state.status).toBe("ready");
    await end();
  });

  test("that the daemon does not have is an error that may pass, never an empty topology", async () => {
    const { clock, daemon, topology, end } = setUpFollow({ topology: "orders" });
    await clock.advance(60_000);
    expect(topology.daemons()).toMatchObject([
      {
        health: "unreachable",
        reason: {
          code: "TOPOLOGY_UNKNOWN",
          message: 'the daemon at http://one does not have the topology "orders"',
          details: { topologies: ["orders"] },
        },
      },
    ]);
    expect(ERROR_TABLE.TOPOLOGY_UNKNOWN.retryable).toBe(true);
    expect(topology.state).toMatchObject({ status: "unavailable", snapshot: undefined });
    expect(() => topology.members()).toThrow("TOPOLOGY_UNAVAILABLE");
    daemon.restart(["orders"]);
    daemon.publish(nodes("a"), { topology: "orders" });
    await clock.advance(60_000);
    expect(idsOf(topology.members())).toBe("a");
    await end();
  });

  test("that disappears from the daemon keeps its members, marked as stale", async () => {
    const { clock, daemon, topology, end } = setUpFollow({ topology: "orders", topologies: ["orders"] });
    daemon.publish(nodes("a", "b"), { topology: "orders" });
    await clock.settle();
    daemon.restart(["billing"]);
    await clock.advance(60_000);
    expect(topology.state).toMatchObject({
      status: "unavailable",
      isStale: true,
      statusCause: { code: "TOPOLOGY_UNKNOWN" },
    });
    expect(idsOf(topology.state.snapshot?.members)).toBe("a b");
    await end();
  });

  test("that only the second daemon has is followed there", async () => {
    const { clock, daemons, topology, end } = setUpFollow({ topology: "orders", daemons: 2 });
    daemons[1]!.restart(["orders"]);
    daemons[1]!.publish(nodes("a"), { topology: "orders" });
    await clock.advance(60_000);
    expect(topology.state).toMatchObject({ status: "ready", snapshot: { providerId: "two" } });
    await end();
  });

  test.each(["", "a/b", "../x", "a b", "x".repeat(129)])("%j is refused", (topology) => {
    const start = () => follow({ url: "http://one", topology, clock: new VirtualClock() });
    expect(start).toThrow(/VALIDATION_MALFORMED.*the name of a topology/);
  });
});
