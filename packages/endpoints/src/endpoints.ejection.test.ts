import { createSeededRandom } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { node, nodes } from "../test/scripted-topology.ts";
import { idsOf, setUp, type Setup, type SetupOptions } from "../test/set-up.ts";
import type { CallOutcome } from "./call-report.ts";
import { byKey } from "./picking/by-key.ts";
import { leastInFlight } from "./picking/least-in-flight.ts";
import { roundRobin } from "./picking/round-robin.ts";

/** Endpoints `n-0000`, ...; no time is left out by chance, because `random` returns 0. */
async function setUpNodes(count: number, options: SetupOptions = {}): Promise<Setup> {
  const setup = setUp({ random: () => 0, ...options });
  setup.topology.publish(nodes(count));
  await setup.topology.clock.settle();
  return setup;
}

function report({ endpoints }: Setup, nodeId: string, ...outcomes: readonly CallOutcome[]): void {
  for (const outcome of outcomes) endpoints.report({ nodeId, outcome });
}

const FIVE = ["failure", "failure", "failure", "failure", "failure"] as const;

describe("ejection", () => {
  test("a member that fails is ejected, probed after a time, and used again when the probes succeed", async () => {
    // R8.3
    const setup = await setUpNodes(3);
    const { topology, endpoints, changes } = setup;
    report(setup, "n-0001", ...FIVE.slice(1), "success", ...FIVE.slice(1));
    expect(idsOf(endpoints.state)).toHaveLength(3);
    report(setup, "n-0001", "failure");
    expect(idsOf(endpoints.state)).toEqual(["n-0000", "n-0002"]);
    await topology.clock.settle();
    expect(changes.map(idsOf)).toEqual([
      ["n-0000", "n-0001", "n-0002"],
      ["n-0000", "n-0002"],
    ]);
    await topology.clock.advance(4_000);
    expect(endpoints.explain("n-0001")).toMatchObject({
      isUsed: false,
      rule: "ejected",
      tries: 1,
      returnsInMs: 6_000,
      text: '"n-0001" is not used by this client: ejected 4.0 s ago (number 1) because 5 calls in a row failed; probed in 6.0 s',
    });
    await topology.clock.advance(6_000);
    expect(endpoints.state.endpoints[1]).toMatchObject({ node: { id: "n-0001" }, standing: "probing" });
    expect(endpoints.explain("n-0001")).toMatchObject({ isUsed: true, rule: "probing" });
    report(setup, "n-0001", "success", "success");
    expect(endpoints.state.endpoints[1]!.standing).toBe("probing");
    report(setup, "n-0001", "success");
    expect(endpoints.state.endpoints[1]!.standing).toBe("healthy");
    expect(endpoints.explain("n-0001")).toMatchObject({ rule: "healthy", tries: 1, returnsInMs: undefined });
    // Each ejection time without an ejection makes up for one.
    await topology.clock.advance(10_000);
    report(setup, "n-0001", "success");
    expect(endpoints.explain("n-0001").tries).toBeUndefined();
    expect(topology.clock.pendingTimers).toBe(0);
  });

  test("a failed probe ejects again, for twice as long", async () => {
    const setup = await setUpNodes(3);
    const { topology, endpoints } = setup;
    report(setup, "n-0001", ...FIVE);
    for (const seconds of [10, 20, 40]) {
      await topology.clock.advance(seconds * 1_000 - 1);
      expect(endpoints.explain("n-0001").rule).toBe("ejected");
      await topology.clock.advance(1);
      expect(endpoints.explain("n-0001").rule).toBe("probing");
      report(setup, "n-0001", "success", "failure");
    }
    expect(endpoints.explain("n-0001")).toMatchObject({ rule: "ejected", tries: 4, returnsInMs: 80_000 });
  });

  test("half of the calls failing is enough, if there are enough", async () => {
    const setup = await setUpNodes(3);
    for (let i = 0; i < 9; i++) report(setup, "n-0000", "failure", "success");
    expect(setup.endpoints.explain("n-0000").rule).toBe("healthy");
    report(setup, "n-0000", "success", "failure");
    expect(setup.endpoints.explain("n-0000").text).toContain("10 of 20 calls failed within 10000 ms");
  });

  test("calls before an ejection do not count after it", async () => {
    const setup = await setUpNodes(3, { ejection: { consecutiveFailures: false, ejectMs: 1_000 } });
    const { topology, endpoints } = setup;
    for (let i = 0; i < 20; i++) report(setup, "n-0000", "failure");
    expect(endpoints.explain("n-0000").rule).toBe("ejected");
    await topology.clock.advance(1_000);
    report(setup, "n-0000", "success", "success", "success", "failure");
    expect(endpoints.explain("n-0000").rule).toBe("healthy");
  });

  test("a member that is much slower than the others is ejected, if that is switched on", async () => {
    const setup = await setUpNodes(4, { ejection: { latency: { minCalls: 5 } } });
    const { endpoints, topology } = setup;
    const picker = endpoints.picker(roundRobin());
    for (let i = 0; i < 40; i++) {
      const call = picker.pick()!;
      // The time from the pick to the end is measured.
      await topology.clock.advance(call.endpoint.node.id === "n-0002" ? 200 : 10);
      call.done("success");
    }
    expect(endpoints.explain("n-0002").text).toContain(
      "because its mean latency is 200 ms, and the median is 10 ms",
    );
    expect(idsOf(endpoints.state)).toHaveLength(3);
  });

  test("never ejects more than the share, nor the last member", async () => {
    // R8.3
    const setup = await setUpNodes(5, { panicShare: 0 });
    for (const { id } of nodes(5)) report(setup, id, ...FIVE, ...FIVE);
    expect(setup.endpoints.state.counts).toMatchObject({ ejected: 2, used: 3 });
    const single = await setUpNodes(1);
    report(single, "n-0000", ...FIVE, ...FIVE);
    expect(single.endpoints.state.counts).toMatchObject({ ejected: 0, used: 1 });
  });

  test("when members leave, as many ejected ones are probed early as the share demands", async () => {
    const setup = await setUpNodes(6, { panicShare: 0 });
    const { topology, endpoints } = setup;
    for (const id of ["n-0000", "n-0001", "n-0002"]) {
      report(setup, id, ...FIVE);
      await topology.clock.advance(100);
    }
    expect(endpoints.state.counts.ejected).toBe(3);
    topology.publish(nodes(4));
    await topology.clock.settle();
    // The one whose time would have ended first.
    expect(nodes(4).map(({ id }) => endpoints.explain(id).rule)).toEqual([
      "probing",
      "ejected",
      "ejected",
      "healthy",
    ]);
  });

  test("panics when too few are left, and uses ejected members", async () => {
    // R8.1
    const setup = await setUpNodes(4, { ejection: { maxShare: 0.75 } });
    const { endpoints } = setup;
    for (const id of ["n-0000", "n-0001"]) report(setup, id, ...FIVE);
    expect(endpoints.state).toMatchObject({ isPanicking: false, counts: { used: 2 } });
    report(setup, "n-0002", ...FIVE);
    expect(endpoints.state).toMatchObject({ isPanicking: true, counts: { used: 4, ejected: 0 } });
    expect(endpoints.explain("n-0000")).toMatchObject({ isUsed: true, rule: "panic" });
  });

  test("forgets members that leave, and those that are another process at another address", async () => {
    const setup = await setUpNodes(4, { panicShare: 0 });
    const { topology, endpoints } = setup;
    report(setup, "n-0000", ...FIVE);
    report(setup, "n-0001", ...FIVE);
    topology.publish(nodes(4, (i) => (i === 0 ? { host: "elsewhere" } : { weight: 2 })));
    await topology.clock.settle();
    expect(endpoints.explain("n-0000").rule).toBe("healthy");
    expect(endpoints.explain("n-0001").rule).toBe("ejected");
    topology.publish(nodes(1));
    await topology.clock.settle();
    topology.publish(nodes(4));
    await topology.clock.settle();
    expect(endpoints.explain("n-0001").rule).toBe("healthy");
    expect(topology.clock.pendingTimers).toBe(0);
  });

  test("can be switched off", async () => {
    const setup = await setUpNodes(3, { ejection: false });
    report(setup, "n-0001", ...FIVE, ...FIVE);
    expect(setup.endpoints.state.counts).toMatchObject({ ejected: 0, used: 3 });
  });

  test("ignores cancelled calls, unknown nodes, and calls that began before the ejection", async () => {
    const setup = await setUpNodes(3);
    const { topology, endpoints } = setup;
    report(setup, "nobody", ...FIVE);
    const cancelled = Array.from({ length: 10 }, () => "cancelled" as const);
    report(setup, "n-0001", ...FIVE.slice(1), ...cancelled);
    expect(endpoints.state.counts.ejected).toBe(0);
    report(setup, "n-0001", "failure");
    await topology.clock.advance(10_001);
    endpoints.report({ nodeId: "n-0001", outcome: "failure", latencyMs: 10_001 });
    expect(endpoints.explain("n-0001").rule).toBe("probing");
    endpoints.report({ nodeId: "n-0001", outcome: "failure", latencyMs: 1 });
    expect(endpoints.explain("n-0001").rule).toBe("ejected");
  });
});

describe("pickers", () => {
  test("do not pick an ejected member, also within the same turn of the event loop", async () => {
    const { endpoints } = await setUpNodes(2);
    const picker = endpoints.picker(roundRobin());
    let failures = 0;
    while (failures < 5) {
      const call = picker.pick()!;
      const isBad = call.endpoint.node.id === "n-0001";
      call.done(isBad ? "failure" : "success");
      if (isBad) failures++;
    }
    for (let i = 0; i < 10; i++) expect(picker.pick()!.endpoint.node.id).toBe("n-0000");
  });

  test("give a probed member one call at a time", async () => {
    // R8.3
    const setup = await setUpNodes(2, { random: createSeededRandom(1) });
    const { topology, endpoints } = setup;
    report(setup, "n-0001", ...FIVE);
    await topology.clock.advance(10_000);
    const picker = endpoints.picker(leastInFlight());
    const calls = Array.from({ length: 50 }, () => picker.pick()!);
    const probes = calls.filter(({ endpoint }) => endpoint.node.id === "n-0001");
    expect(probes).toHaveLength(1);
    expect(endpoints.explain("n-0001").inFlight).toBe(1);
    probes[0]!.done("success");
    for (let i = 0; i < 2; i++) {
      const probe = endpoints.picker(roundRobin()).pick({ exclude: new Set(["n-0000"]) })!;
      expect(probe.endpoint.node.id).toBe("n-0001");
      probe.done("success");
    }
    expect(endpoints.explain("n-0001").rule).toBe("healthy");
  });

  test("a probe that never ends does not hold up others for longer than an ejection", async () => {
    const setup = await setUpNodes(2);
    const { topology, endpoints } = setup;
    report(setup, "n-0001", ...FIVE);
    await topology.clock.advance(10_000);
    const picker = endpoints.picker(roundRobin());
    const onlyBad = { exclude: new Set(["n-0000"]) };
    picker.pick(onlyBad);
    expect(picker.pick(onlyBad)).toBeUndefined();
    expect(endpoints.refusal()).toBeUndefined();
    await topology.clock.advance(10_000);
    expect(picker.pick(onlyBad)).toBeDefined();
    expect(picker.pick(onlyBad)).toBeUndefined();
  });

  test("probes that were in flight when a member was ejected again do not hold up the next ones", async () => {
    // The longest random part is left out, so that an ejection ends before a probe counts as one that never ends.
    const setup = await setUpNodes(2, { ejection: { maxEjectMs: 10_000 }, random: () => 0.99 });
    const { topology, endpoints } = setup;
    const picker = endpoints.picker(roundRobin());
    const onlyBad = { exclude: new Set(["n-0000"]) };
    report(setup, "n-0001", ...FIVE);
    await topology.clock.advance(9_000);
    const probe = picker.pick(onlyBad)!;
    report(setup, "n-0001", "failure");
    await topology.clock.advance(9_000);
    const next = picker.pick(onlyBad)!;
    expect(next.endpoint.standing).toBe("probing");
    probe.done("failure");
    expect(endpoints.explain("n-0001").rule).toBe("probing");
    expect(picker.pick(onlyBad)).toBeUndefined();
  });

  test("`byKey` counts only calls that are in flight", async () => {
    const { endpoints } = await setUpNodes(5);
    const picker = endpoints.picker(byKey({ minInFlight: 1 }));
    const request = { key: "hot" };
    for (let i = 0; i < 100; i++) picker.pick(request)!.done("success");
    const calls = Array.from({ length: 10 }, () => picker.pick(request)!.endpoint.node.id);
    // At most 1.25 times a fifth of the calls, rounded up.
    for (const id of new Set(calls))
      expect(calls.filter((each) => each === id).length).toBeLessThanOrEqual(3);
  });

  test("return nothing while the endpoints are not usable, and work as soon as they are", async () => {
    const { topology, endpoints } = setUp();
    const picker = endpoints.picker(roundRobin());
    expect(picker.pick()).toBeUndefined();
    expect(endpoints.refusal()).toMatchObject({ code: "TOPOLOGY_NO_SNAPSHOT" });
    topology.publish([node("a")]);
    expect(picker.pick()!.endpoint.node.id).toBe("a");
    topology.publish([node("b")]);
    expect(picker.pick()!.endpoint.node.id).toBe("b");
    endpoints.close();
    expect(picker.pick()).toBeUndefined();
  });

  test("count calls in flight once, also when `done` is called twice or after the member has left", async () => {
    const setup = await setUpNodes(1);
    const { topology, endpoints } = setup;
    const picker = endpoints.picker(leastInFlight());
    const [first, second] = [picker.pick()!, picker.pick()!];
    first.done("success");
    first.done("failure");
    expect(endpoints.explain("n-0000").inFlight).toBe(1);
    topology.publish([node("n-0000", { host: "elsewhere" })]);
    await topology.clock.settle();
    expect(endpoints.explain("n-0000").inFlight).toBe(0);
    {
      using _ = picker.pick()!;
      expect(endpoints.explain("n-0000").inFlight).toBe(1);
    }
    second.done("failure");
    expect(endpoints.explain("n-0000").inFlight).toBe(0);
  });

  test("leave out excluded nodes", async () => {
    const { endpoints } = await setUpNodes(3);
    const picker = endpoints.picker(roundRobin());
    const tried = new Set<string>();
    for (let i = 0; i < 3; i++) tried.add(picker.pick({ exclude: tried })!.endpoint.node.id);
    expect(tried.size).toBe(3);
    expect(picker.pick({ exclude: tried })).toBeUndefined();
  });
});

describe("blocks", () => {
  test("an ejected member is blocked in the topology, restored after its time, and probed after a good refresh", async () => {
    // R4.2 R4.4 R8.3
    const { topology, endpoints } = await setUpNodes(5, { isBlocking: true });
    const { clock } = topology;
    for (const outcome of FIVE) endpoints.report({ nodeId: "n-0001", outcome });
    await clock.settle();
    expect(topology.hub.state.snapshot!.blockedNodes).toEqual(["n-0001"]);
    expect(endpoints.explain("n-0001")).toMatchObject({
      rule: "blocked",
      text: expect.stringContaining("ejected 0.0 s ago"),
    });
    await clock.advance(10_000);
    expect(topology.hub.state.restoringNodes).toEqual(["n-0001"]);
    expect(endpoints.explain("n-0001").rule).toBe("restoring");
    expect(idsOf(endpoints.state)).not.toContain("n-0001");
    topology.confirm();
    await clock.settle();
    expect(topology.hub.state.snapshot!.blockedNodes).toEqual([]);
    expect(endpoints.explain("n-0001").rule).toBe("probing");
    endpoints.report({ nodeId: "n-0001", outcome: "failure" });
    await clock.settle();
    expect(topology.hub.state.snapshot!.blockedNodes).toEqual(["n-0001"]);
    // Nothing is left behind.
    endpoints.close();
    topology.confirm();
    expect(topology.hub.state.snapshot!.blockedNodes).toEqual([]);
  });

  test("blocks at most the share of the members, counts the blocks of others, and never restores those", async () => {
    // R8.3
    const { topology, endpoints } = await setUpNodes(10, { isBlocking: true });
    topology.hub.block("n-0000");
    for (const id of ["n-0001", "n-0002", "n-0003"]) {
      for (const outcome of FIVE) endpoints.report({ nodeId: id, outcome });
    }
    await topology.clock.settle();
    expect(topology.hub.state.snapshot!.blockedNodes).toEqual(["n-0000", "n-0001"]);
    expect(endpoints.state.counts).toMatchObject({ blocked: 2, ejected: 2 });
    endpoints.close();
    topology.confirm();
    expect(topology.hub.state.snapshot!.blockedNodes).toEqual(["n-0000"]);
  });

  test("members that are blocked because of an ejection count for the limit of ejections", async () => {
    const setup = await setUpNodes(4, { isBlocking: true, ejection: { maxBlockedShare: 1 }, panicShare: 0 });
    const { topology, endpoints } = setup;
    for (const { id } of nodes(4)) {
      report(setup, id, ...FIVE);
      await topology.clock.settle();
    }
    expect(topology.hub.state.snapshot!.blockedNodes).toEqual(["n-0000", "n-0001"]);
    expect(endpoints.state.counts).toMatchObject({ blocked: 2, used: 2 });
  });

  test("a member that is ejected again while it is being restored is blocked after the refresh, and restored later", async () => {
    const setup = await setUpNodes(5, { isBlocking: true, ejection: { maxBlockedShare: 0.5 } });
    const { topology, endpoints } = setup;
    const { clock, hub } = topology;
    report(setup, "n-0001", ...FIVE);
    await clock.advance(10_000);
    expect(hub.state.restoringNodes).toEqual(["n-0001"]);
    report(setup, "n-0001", "failure");
    await clock.settle();
    expect(hub.state.restoringNodes).toEqual(["n-0001"]);
    topology.confirm();
    await clock.settle();
    expect(hub.state.snapshot!.blockedNodes).toEqual(["n-0001"]);
    expect(hub.state.restoringNodes).toEqual([]);
    await clock.advance(20_000);
    topology.confirm();
    await clock.settle();
    expect(endpoints.explain("n-0001").rule).toBe("probing");
  });

  test("an error of the topology is reported, and the member stays ejected", async () => {
    const warnings: string[] = [];
    const setup = await setUpNodes(3, {
      blocks: {
        block() {
          throw new Error("a test");
        },
        restore: () => false,
      },
      onWarning: ({ code }) => warnings.push(code),
    });
    report(setup, "n-0001", ...FIVE);
    await setup.topology.clock.settle();
    expect(warnings).toEqual(["LIFECYCLE_CONSUMER_FAILED"]);
    expect(setup.endpoints.explain("n-0001").rule).toBe("ejected");
  });
});
