import { MemberSet } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { node, ScriptedTopology } from "../test/scripted-topology.ts";
import { createEndpoints } from "./create-endpoints.ts";
import type { EndpointsOptions } from "./endpoints-options.ts";
import type { Endpoints } from "./endpoints.ts";
import type { EndpointsState } from "./endpoints-state.ts";

interface Setup {
  readonly topology: ScriptedTopology;
  readonly endpoints: Endpoints;
  readonly changes: EndpointsState[];
}

function setUp(options: Partial<EndpointsOptions> = {}): Setup {
  const topology = new ScriptedTopology();
  const { hub, clock } = topology;
  const endpoints = createEndpoints({ topology: hub, clock, random: () => 0.5, ...options });
  const changes: EndpointsState[] = [];
  endpoints.onChange((state) => changes.push(state));
  return { topology, endpoints, changes };
}

const idsOf = ({ endpoints }: EndpointsState) => endpoints.map((endpoint) => endpoint.node.id);

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
});
