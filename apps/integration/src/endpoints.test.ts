import { follow } from "@holdfast/client";
import { createEndpoints, roundRobin, type Endpoints } from "@holdfast/endpoints";
import { expect, test } from "vitest";
import { FileDaemons } from "./following/file-daemons.ts";
import { memory, node, ServiceHarness } from "./service-harness.ts";

const idsOf = ({ state }: Endpoints) => state.endpoints.map((endpoint) => endpoint.node.id);

const MEMBERS = ["a", "b", "c", "d", "e", "f"].map((id) => node(id));

// R4.2 R4.4 R8.3
test("a member that fails for a caller is blocked for all consumers, restored after a good refresh, and used again", async () => {
  const harness = await ServiceHarness.started([memory("one", 2, MEMBERS)]);
  const { clock, service, remoting } = harness;
  const { topology } = service;
  using endpoints = createEndpoints({ topology, blocks: topology, clock, random: () => 0 });
  const picker = endpoints.picker(roundRobin());
  const callAll = async (isFailing: boolean) => {
    for (let i = 0; i < 60; i++) {
      const call = picker.pick()!;
      call.done(isFailing && call.endpoint.node.id === "c" ? "failure" : "success");
      await clock.settle();
    }
  };
  await callAll(true);
  expect(endpoints.explain("c")).toMatchObject({ isUsed: false, rule: "blocked", tries: 1 });
  expect(topology.state.snapshot!.blockedNodes).toEqual(["c"]);
  expect(remoting.events.at(-1)).toMatchObject({ kind: "blocked", node: { id: "c" } });

  await clock.advance(10_000);
  // The heartbeats of the provider are good refreshes.
  await clock.advance(6_000);
  expect(topology.state.snapshot!.blockedNodes).toEqual([]);
  expect(remoting.events.at(-1)).toMatchObject({ kind: "unblocked", node: { id: "c" } });
  expect(endpoints.explain("c").rule).toBe("probing");
  await callAll(false);
  expect(endpoints.explain("c").rule).toBe("healthy");
  await service.stop();
});

// R5.3 R8.1
test("while all providers fail no call is refused, and the first change after that is used at once", async () => {
  const harness = await ServiceHarness.started([memory("one", 2, MEMBERS), memory("two", 1, MEMBERS)]);
  const { clock, service } = harness;
  using endpoints = createEndpoints({ topology: service.topology, clock });
  const picker = endpoints.picker(roundRobin());
  harness.break("one");
  harness.break("two");
  for (let i = 0; i < 600; i++) {
    await clock.advance(1_000);
    expect(picker.pick()).toBeDefined();
  }
  expect(endpoints.state).toMatchObject({ status: "unavailable", isStale: true, isUsable: true });
  harness.provider("one").recover();
  await clock.advance(60_000);
  expect(endpoints.state).toMatchObject({ status: "ready", isStale: false });
  harness.provider("one").apply({ upsert: [node("g")] });
  await clock.settle();
  expect(idsOf(endpoints)).toContain("g");
  await service.stop();
  expect(endpoints.state).toMatchObject({ connections: "close", refusal: { code: "LIFECYCLE_STOPPED" } });
});

// R7.4 R8.1
test("works in the same way on a topology that is followed from a daemon", { timeout: 60_000 }, async () => {
  await using daemons = await FileDaemons.create(1);
  daemons.publish(MEMBERS);
  const daemon = await daemons.start(0);
  const health = { timeoutMs: 2_000, cooldownMs: 200, backoffInitialMs: 50, backoffMaxMs: 100, maxErrors: 2 };
  await using orders = follow({ url: daemons.urls, health });
  using endpoints = createEndpoints({ topology: orders });
  const picker = endpoints.picker(roundRobin());
  expect(endpoints.state).toMatchObject({ isUsable: false, refusal: { code: "TOPOLOGY_NO_SNAPSHOT" } });
  await endpoints.ready();
  expect(idsOf(endpoints)).toEqual(["a", "b", "c", "d", "e", "f"]);
  const { endpoints: listed } = endpoints.state;

  await daemon.kill();
  await orders.waitFor(({ status }) => status === "unavailable");
  expect(endpoints.state).toMatchObject({ isUsable: true, isStale: true });
  expect(endpoints.state.endpoints).toBe(listed);
  expect(picker.pick()).toBeDefined();

  daemons.publish([...MEMBERS, node("g")]);
  await daemons.start(0);
  await orders.waitFor(({ snapshot }) => snapshot?.members.has("g") === true);
  await endpoints.ready();
  expect(idsOf(endpoints)).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
  // Members that did not change are the same objects.
  expect(endpoints.state.endpoints[0]).toBe(listed[0]);
});
