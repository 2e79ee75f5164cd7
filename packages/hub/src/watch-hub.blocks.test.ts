import { describe, expect, test } from "vitest";
import { createRunningHub, node } from "../test/create-running-hub.ts";

describe("blocked nodes", () => {
  test("a blocked member stays a member; the snapshot lists it as blocked and has another hash", async () => {
    // R4.2
    const { hub, takeEvents } = await createRunningHub();
    const { hash } = hub.state.snapshot!;
    takeEvents();
    expect(hub.block("a")).toBe(true);
    expect(takeEvents()).toEqual(["a,b -a"]);
    expect(hub.state.snapshot!.hash).not.toBe(hash);
    expect(hub.block("a")).toBe(false);
    expect(hub.block("unknown")).toBe(false);
  });

  test("a block while the topology is not current reports a warning that names the node", async () => {
    // R4.2
    const { clock, primary, backup, hub, errors } = await createRunningHub();
    expect(hub.block("a")).toBe(true);
    expect(errors).toEqual([]);
    backup.refuse();
    backup.fail();
    primary.fail();
    await clock.settle();
    expect(hub.state.status).toBe("degraded");
    expect(hub.block("b")).toBe(true);
    expect(errors).toMatchObject([
      { code: "TOPOLOGY_NOT_CURRENT", details: { nodeId: "b", status: "degraded" } },
    ]);
    expect(errors[0]!.message).toContain('"b" was blocked while the topology is degraded');
  });

  test("a restored node is unblocked at the next good refresh, not before", async () => {
    // R4.4
    const { clock, primary, hub, takeEvents } = await createRunningHub();
    const { hash } = hub.state.snapshot!;
    hub.block("a");
    primary.apply({ upsert: [node("c")] });
    await clock.settle();
    expect(hub.state.snapshot!.blockedNodes).toEqual(["a"]);
    takeEvents();
    expect(hub.restore("a")).toBe(true);
    expect(hub.restore("a")).toBe(false);
    expect(hub.state.restoringNodes).toEqual(["a"]);
    expect(takeEvents()).toEqual([]);
    primary.heartbeat();
    await clock.settle();
    expect(takeEvents()).toEqual(["a,b,c"]);
    primary.apply({ remove: ["c"] });
    await clock.settle();
    expect(hub.state.snapshot!.hash).toBe(hash);
  });

  test("a snapshot while degraded is not a good refresh", async () => {
    // R4.4
    const { clock, primary, backup, hub } = await createRunningHub();
    backup.refuse();
    backup.fail();
    await clock.settle();
    hub.block("a");
    hub.restore("a");
    primary.set([node("a"), node("b"), node("c")], { observedAt: clock.now() - 60_000 });
    await clock.settle();
    expect(hub.state).toMatchObject({ status: "degraded", restoringNodes: ["a"] });
    expect(hub.state.snapshot!.blockedNodes).toEqual(["a"]);
    primary.heartbeat();
    await clock.settle();
    expect(hub.state).toMatchObject({ status: "ready", restoringNodes: [] });
    expect(hub.state.snapshot!.blockedNodes).toEqual([]);
  });

  test("the earlier snapshot of a standby that takes over is not a good refresh; its next heartbeat is", async () => {
    // R4.4
    const { clock, primary, backup, hub } = await createRunningHub();
    hub.block("a");
    hub.restore("a");
    primary.refuse();
    primary.end();
    await clock.settle();
    expect(hub.state.snapshot).toMatchObject({ providerId: "backup", blockedNodes: ["a"] });
    backup.heartbeat();
    await clock.settle();
    expect(hub.state.snapshot?.blockedNodes).toEqual([]);
    await hub[Symbol.asyncDispose]();
  });

  test("the snapshot with which a provider becomes current again is a good refresh", async () => {
    // R4.4
    const { clock, primary, backup, hub } = await createRunningHub();
    for (const provider of [primary, backup]) {
      provider.refuse();
      provider.end();
    }
    await clock.settle();
    hub.block("a");
    hub.restore("a");
    primary.recover();
    while (hub.state.isStale) await clock.advance(100);
    expect(hub.state.snapshot?.blockedNodes).toEqual([]);
    await hub[Symbol.asyncDispose]();
  });

  test("a member that left in a good refresh is no longer blocked when it joins again", async () => {
    const { clock, primary, hub, takeEvents } = await createRunningHub();
    hub.block("a");
    primary.apply({ remove: ["a"] });
    await clock.settle();
    primary.apply({ upsert: [node("a")] });
    await clock.settle();
    expect(takeEvents().slice(-2)).toEqual(["b", "a,b"]);
  });

  test("a block survives a failover", async () => {
    const { clock, primary, hub } = await createRunningHub();
    hub.block("a");
    primary.end();
    await clock.settle();
    expect(hub.state.snapshot).toMatchObject({ providerId: "backup", blockedNodes: ["a"] });
  });

  test.each([
    ["", ["a", "b"]],
    [", even if the snapshot in force lacks the node", ["b"]],
  ])("blocking a node again cancels its restoration%s", async (_, inForce) => {
    // R4.4
    const { clock, primary, backup, hub } = await createRunningHub();
    backup.hang();
    await clock.advance(20_000);
    hub.block("a");
    primary.set(
      inForce.map((id) => node(id)),
      { observedAt: clock.now() - 60_000 },
    );
    await clock.settle();
    hub.restore("a");
    expect(hub.block("a")).toBe(false);
    primary.set([node("a"), node("b")]);
    await clock.settle();
    expect(hub.state).toMatchObject({
      status: "ready",
      restoringNodes: [],
      snapshot: { blockedNodes: ["a"] },
    });
  });
});
