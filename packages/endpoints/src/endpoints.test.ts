import { createSnapshot, MemberSet, type ClusterNode, type TopologySource } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { idsOf, setUp } from "../test/set-up.ts";
import { node, nodes, ScriptedTopology } from "../test/scripted-topology.ts";
import { createEndpoints } from "./create-endpoints.ts";

describe("the state", () => {
  test("waits for the first snapshot, then lists the members", async () => {
    // R8.1
    const { topology, endpoints, changes } = setUp();
    expect(endpoints.state).toMatchObject({
      isUsable: false,
      newCalls: "wait",
      status: "starting",
      refusal: { code: "TOPOLOGY_NO_SNAPSHOT" },
    });
    topology.publish([node("b"), node("a", { weight: 3 })]);
    await topology.clock.settle();
    expect(changes).toHaveLength(1);
    expect(changes[0]).toBe(endpoints.state);
    expect(endpoints.state).toMatchObject({ isUsable: true, newCalls: "use", refusal: undefined });
    expect(endpoints.state.endpoints).toEqual([
      { node: node("a", { weight: 3 }), weight: 3, isLocal: true, standing: "healthy" },
      { node: node("b"), weight: 1, isLocal: true, standing: "healthy" },
    ]);
  });

  test("keeps the objects of endpoints that did not change, and reports one change for one moment", async () => {
    const { topology, endpoints, changes } = setUp();
    topology.publish([node("a"), node("b")]);
    await topology.clock.settle();
    const [a] = endpoints.state.endpoints;
    topology.publish([node("a"), node("c")]);
    topology.publish([node("a"), node("d")]);
    await topology.clock.settle();
    expect(changes.map(idsOf)).toEqual([
      ["a", "b"],
      ["a", "d"],
    ]);
    expect(endpoints.state.endpoints[0]).toBe(a);
    const before = endpoints.state;
    topology.confirm();
    await topology.clock.settle();
    expect(endpoints.state).toBe(before);
    expect(changes).toHaveLength(2);
  });

  test("an equal member that another provider reports is the same endpoint", async () => {
    const { topology, endpoints, changes } = setUp();
    topology.publish([node("a"), node("b")]);
    await topology.clock.settle();
    const [a] = endpoints.state.endpoints;
    const republish = (members: readonly ClusterNode[], providerId: string) => {
      const snapshot = createSnapshot({ providerId, members: MemberSet.from(members), observedAt: 0 });
      topology.send({ snapshot, isFresh: true, availability: "available" });
    };
    republish([node("a"), node("b")], "other");
    await topology.clock.settle();
    expect(changes).toHaveLength(1);
    republish([node("a"), node("b", { weight: 2 })], "other");
    await topology.clock.settle();
    expect(endpoints.state.endpoints[0]).toBe(a);
    expect(endpoints.state.endpoints[1]!.weight).toBe(2);
  });

  test("does not report what does not concern callers", async () => {
    const { topology, endpoints, changes } = setUp();
    topology.publish([node("a")]);
    topology.send({ availability: "unavailable", reason: "one" });
    await topology.clock.settle();
    expect(changes).toHaveLength(1);
    const { reason } = endpoints.state;
    topology.send({
      reason: "another",
      health: [{ providerId: "p", from: "healthy", to: "degraded" }],
    });
    await topology.clock.settle();
    expect(endpoints.state.reason).not.toBe(reason);
    expect(changes).toHaveLength(1);
  });

  test("leaves out blocked and drained members, and says so", async () => {
    // R4.2 R8.1
    const { topology, endpoints } = setUp({ panicShare: 0 });
    topology.publish([node("a"), node("b"), node("c", { weight: 0 })]);
    topology.hub.block("a");
    await topology.clock.settle();
    expect(idsOf(endpoints.state)).toEqual(["b"]);
    expect(endpoints.state.counts).toMatchObject({ members: 3, blocked: 1, drained: 1, used: 1 });
    topology.hub.block("b");
    await topology.clock.settle();
    expect(endpoints.state).toMatchObject({
      isUsable: false,
      newCalls: "refuse",
      endpoints: [],
      refusal: {
        code: "TOPOLOGY_NO_ENDPOINT",
        message: expect.stringContaining("none of the 3 members may be used (2 blocked, 1 drained)"),
      },
    });
  });

  test("keeps the last endpoints of an unavailable topology for the set time, then refuses new calls", async () => {
    // R5.3 R8.1
    const { topology, endpoints, changes } = setUp({ keepUnavailableMs: 60_000 });
    topology.publish([node("a")]);
    topology.send({ availability: "unavailable", reason: "all providers failed" });
    await topology.clock.settle();
    const { endpoints: kept, reason } = endpoints.state;
    expect(endpoints.state).toMatchObject({ isUsable: true, status: "unavailable", isStale: true });
    expect(reason).toContain("the last known members are used until 2026-01-01T00:01:00.000Z");
    await topology.clock.advance(59_999);
    expect(endpoints.state.isUsable).toBe(true);
    await topology.clock.advance(1);
    expect(changes.at(-1)).toMatchObject({
      isUsable: false,
      newCalls: "refuse",
      connections: "keep",
      refusal: { code: "TOPOLOGY_UNAVAILABLE" },
    });
    // Unknown is never empty.
    expect(endpoints.state.endpoints).toBe(kept);
    topology.send({ availability: "available", isFresh: true, reason: "back" });
    await topology.clock.settle();
    expect(endpoints.state).toMatchObject({ isUsable: true, status: "ready" });
    expect(endpoints.state.endpoints).toBe(kept);
    topology.send({ availability: "unavailable", reason: "again" });
    await topology.clock.advance(59_999);
    expect(endpoints.state.isUsable).toBe(true);
  });

  test("has no endpoints only when the topology is confirmed to be empty", async () => {
    const { topology, endpoints } = setUp();
    topology.publish([node("a")]);
    topology.publish(MemberSet.empty);
    await topology.clock.settle();
    expect(endpoints.state).toMatchObject({
      isUsable: false,
      endpoints: [],
      connections: "keep",
      refusal: { code: "TOPOLOGY_EMPTY" },
    });
  });

  test("uses retained members only if too few others are left", async () => {
    // R8.1
    const { topology, endpoints } = setUp();
    topology.publish(nodes(4));
    topology.retain("n-0003");
    await topology.clock.settle();
    expect(endpoints.state).toMatchObject({
      status: "degraded",
      isUsable: true,
      counts: { retained: 1, used: 3 },
    });
    expect(endpoints.explain("n-0003")).toMatchObject({ isUsed: false, rule: "retained" });
    topology.retain("n-0000", "n-0001", "n-0002", "n-0003");
    await topology.clock.settle();
    expect(endpoints.state).toMatchObject({ isUsable: true, counts: { retained: 0, used: 4 } });
    expect(endpoints.explain("n-0003")).toMatchObject({ isUsed: true, rule: "retained_needed", share: 0.25 });
  });

  test("prefers the own zone, and spills over to the others when its capacity does not suffice", async () => {
    // R8.1
    const { topology, endpoints } = setUp({ zone: "a" });
    topology.publish(nodes(4, (i) => ({ zone: i < 2 ? "a" : "b" })));
    await topology.clock.settle();
    expect(idsOf(endpoints.state)).toEqual(["n-0000", "n-0001"]);
    expect(endpoints.explain("n-0002")).toMatchObject({ isUsed: false, rule: "other_zone" });
    topology.publish(nodes(4, (i) => ({ zone: i < 1 ? "a" : "b" })));
    await topology.clock.settle();
    expect(idsOf(endpoints.state)).toHaveLength(4);
    expect(endpoints.explain("n-0000").share).toBeCloseTo(0.5, 1);
  });

  test("counts the callers of a zone in the topology of the calling service", async () => {
    const callers = new ScriptedTopology();
    const { topology, endpoints, changes } = setUp({ zone: { name: "a", callers: callers.hub } });
    topology.publish(nodes(4, (i) => ({ zone: i < 1 ? "a" : "b" })));
    await topology.clock.settle();
    expect(idsOf(endpoints.state)).toHaveLength(4);
    callers.publish(nodes(8, (i) => ({ zone: i < 2 ? "a" : "b" })));
    await topology.clock.settle();
    expect(idsOf(endpoints.state)).toEqual(["n-0000"]);
    callers.publish(nodes(8, (i) => ({ zone: i < 4 ? "a" : "b" })));
    await topology.clock.settle();
    expect(idsOf(endpoints.state)).toHaveLength(4);
    expect(changes).toHaveLength(3);
    endpoints.close();
    callers.publish(nodes(1, () => ({ zone: "a" })));
    await topology.clock.settle();
    expect(changes).toHaveLength(4);
  });

  test("fixed numbers of callers", async () => {
    const { topology, endpoints } = setUp({ zone: { name: "a", callers: { a: 1, b: 3 } } });
    topology.publish(nodes(4, (i) => ({ zone: i < 1 ? "a" : "b" })));
    await topology.clock.settle();
    expect(idsOf(endpoints.state)).toEqual(["n-0000"]);
  });

  test("works with a subset, and explains it", async () => {
    // R8.1
    const { topology, endpoints } = setUp({ subset: { size: 5, clientId: "client" } });
    topology.publish(nodes(50));
    await topology.clock.settle();
    const first = idsOf(endpoints.state);
    expect(first).toHaveLength(5);
    expect(endpoints.state.counts).toMatchObject({ outsideSubset: 45, used: 5 });
    const outside = nodes(50).find(({ id }) => !first.includes(id))!;
    expect(endpoints.explain(outside.id)).toMatchObject({ isUsed: false, rule: "outside_subset" });
    topology.hub.block(first[0]!);
    await topology.clock.settle();
    // Another member takes the place of a blocked one.
    expect(idsOf(endpoints.state)).toHaveLength(5);
    expect(idsOf(endpoints.state)).toEqual(expect.arrayContaining(first.slice(1)));
  });

  test("raises the weight of members that join, but not of the first ones", async () => {
    const { topology, endpoints, changes } = setUp({ slowStart: { rampMs: 10_000 } });
    topology.publish([node("a"), node("b")]);
    await topology.clock.advance(500);
    expect(endpoints.state.endpoints.map(({ weight }) => weight)).toEqual([1, 1]);
    topology.publish([node("a"), node("b"), node("c")]);
    await topology.clock.settle();
    expect(endpoints.state.endpoints[2]!.weight).toBeCloseTo(0.1);
    expect(endpoints.explain("c")).toMatchObject({ isUsed: true, rule: "slow_start" });
    const [a] = endpoints.state.endpoints;
    await topology.clock.advance(5_000);
    expect(endpoints.state.endpoints[2]!.weight).toBeCloseTo(0.55);
    await topology.clock.advance(5_000);
    expect(endpoints.state.endpoints.map(({ weight }) => weight)).toEqual([1, 1, 1]);
    expect(endpoints.state.endpoints[0]).toBe(a);
    expect(changes).toHaveLength(12);
    expect(topology.clock.pendingTimers).toBe(0);
  });

  test("describes draining and stopping", async () => {
    const { topology, endpoints, changes } = setUp();
    topology.publish([node("a")]);
    topology.hub.drain("closed");
    await topology.clock.settle();
    expect(endpoints.state).toMatchObject({
      isUsable: false,
      connections: "finish",
      refusal: { code: "LIFECYCLE_SHUTTING_DOWN" },
    });
    expect(idsOf(endpoints.state)).toEqual(["a"]);
    await topology.hub[Symbol.asyncDispose]();
    await topology.clock.settle();
    expect(changes.at(-1)).toMatchObject({ connections: "close", refusal: { code: "LIFECYCLE_STOPPED" } });
  });

  test("a listener that throws is reported and does not affect others, and one that unsubscribes is not called", async () => {
    const warnings: unknown[] = [];
    const { topology, endpoints, changes } = setUp({
      onWarning: (warning) => {
        warnings.push(warning.code);
        throw new Error("a test");
      },
    });
    const unsubscribe = endpoints.onChange(() => changes.push(endpoints.state));
    endpoints.onChange(() => {
      throw new Error("a test");
    });
    unsubscribe();
    topology.publish([node("a")]);
    await topology.clock.settle();
    expect(warnings).toEqual(["LIFECYCLE_CONSUMER_FAILED"]);
    expect(changes).toHaveLength(1);
  });
});

describe("the end", () => {
  test("ends every subscription", () => {
    const topology = new ScriptedTopology();
    let subscriptions = 0;
    const counted: TopologySource = {
      get state() {
        return topology.hub.state;
      },
      onEvent(listener) {
        subscriptions++;
        const unsubscribe = topology.hub.onEvent(listener);
        return () => {
          subscriptions--;
          unsubscribe();
        };
      },
    };
    const { clock } = topology;
    const endpoints = createEndpoints({ topology: counted, clock, zone: { name: "a", callers: counted } });
    expect(subscriptions).toBe(2);
    endpoints.close();
    expect(subscriptions).toBe(0);
  });

  test("leaves nothing behind, and tells the listeners once", async () => {
    const { topology, endpoints, changes } = setUp({ keepUnavailableMs: 1_000, slowStart: { rampMs: 100 } });
    topology.publish([node("a")]);
    topology.publish([node("a"), node("b")]);
    topology.send({ availability: "unavailable", reason: "a test" });
    await topology.clock.settle();
    expect(topology.clock.pendingTimers).toBe(1);
    endpoints.close();
    endpoints.close();
    expect(topology.clock.pendingTimers).toBe(0);
    expect(changes.at(-1)).toMatchObject({
      isUsable: false,
      connections: "close",
      refusal: { code: "LIFECYCLE_STOPPED", message: "the endpoints were closed" },
    });
    const { length } = changes;
    topology.publish([node("c")]);
    await topology.clock.settle();
    expect(changes).toHaveLength(length);
    expect(endpoints.state).toBe(changes.at(-1));
  });

  test("`using` closes them", async () => {
    const topology = new ScriptedTopology();
    topology.publish([node("a")]);
    let state;
    {
      using endpoints = createEndpoints({ topology: topology.hub, clock: topology.clock });
      endpoints.onChange((next) => {
        state = next;
      });
    }
    expect(state).toMatchObject({ connections: "close" });
  });
});

describe("ready", () => {
  test("resolves at once, or with the first usable endpoint", async () => {
    const { topology, endpoints } = setUp();
    const ready = endpoints.ready();
    topology.publish([node("a", { weight: 0 })]);
    await topology.clock.settle();
    topology.publish([node("a")]);
    expect(idsOf(await topology.clock.until(ready, 0))).toEqual(["a"]);
    expect(await endpoints.ready({ signal: AbortSignal.abort() })).toBe(endpoints.state);
  });

  test("rejects with the refusal when the signal aborts", async () => {
    const { topology, endpoints } = setUp();
    const controller = new AbortController();
    const ready = endpoints.ready({ signal: controller.signal });
    await topology.clock.settle();
    const cause = new Error("the deadline");
    controller.abort(cause);
    await expect(ready).rejects.toMatchObject({
      code: "TOPOLOGY_NO_SNAPSHOT",
      message: expect.stringContaining("no endpoint became usable in time: the topology is starting"),
      cause,
    });
    await expect(endpoints.ready({ signal: controller.signal })).rejects.toMatchObject({ cause });
    expect(endpoints.refusal()).toMatchObject({ code: "TOPOLOGY_NO_SNAPSHOT", retryable: true });
  });

  test("rejects when the endpoints are closed, or the topology stops", async () => {
    const { topology, endpoints } = setUp();
    const ready = endpoints.ready();
    endpoints.close();
    await expect(ready).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    await expect(endpoints.ready()).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    const others = createEndpoints({ topology: topology.hub, clock: topology.clock });
    const waiting = others.ready();
    waiting.catch(() => undefined);
    await topology.hub[Symbol.asyncDispose]();
    await expect(waiting).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
  });
});

describe("explain", () => {
  test.each<[id: string, rule: string, text: string]>([
    ["used", "healthy", "is used by this client: it is a member"],
    ["blocked", "blocked", "is not used by this client: it is blocked in the topology"],
    [
      "restoring",
      "restoring",
      "is not used by this client: it was blocked, and is restored at the next good refresh",
    ],
    ["drained", "drained", "is not used by this client: its weight is 0"],
    ["nobody", "not_a_member", "is not used by this client: it is not a member"],
  ])("%s: %s", async (id, rule, text) => {
    // R8.1
    const { topology, endpoints } = setUp({ panicShare: 0 });
    topology.publish([node("used"), node("blocked"), node("restoring"), node("drained", { weight: 0 })]);
    topology.hub.block("blocked");
    topology.hub.block("restoring");
    topology.hub.restore("restoring");
    const explanation = endpoints.explain(id);
    expect(explanation).toMatchObject({
      nodeId: id,
      rule,
      isUsed: id === "used",
      share: id === "used" ? 1 : 0,
    });
    expect(explanation.text).toContain(`"${id}" ${text}`);
    expect(explanation.node?.id).toBe(id === "nobody" ? undefined : id);
  });

  test("names the status when it is the reason", () => {
    const { topology, endpoints } = setUp();
    expect(endpoints.explain("a")).toMatchObject({
      rule: "no_snapshot",
      refusal: { code: "TOPOLOGY_NO_SNAPSHOT" },
    });
    topology.publish([node("a")]);
    topology.hub.drain("closed");
    expect(endpoints.explain("a")).toMatchObject({ rule: "status", isUsed: false, share: 0 });
  });
});
