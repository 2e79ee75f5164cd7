import { MemorySnapshotStore } from "@holdfast/testing";
import { createClusterNode, createSnapshot, MemberSet, ProvisioningError } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { memory, node, ServiceHarness } from "./service-harness.ts";

/** The stored snapshot of a service with this provider. */
async function sourceOf(id: string): Promise<string> {
  const store = new MemorySnapshotStore();
  const h = await ServiceHarness.started([memory(id, 1, [])], { lastKnownGood: { store } });
  await h.stop();
  return store.known!.source;
}

const NO = new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", "no");

function lose(h: ServiceHarness, id: string): void {
  h.provider(id).refuse(NO);
  h.provider(id).end();
}

const started = (options: ConstructorParameters<typeof ServiceHarness>[0] = {}) =>
  ServiceHarness.started(
    [
      memory("primary", 2, [node("a"), node("b"), node("c")]),
      memory("backup", 1, [node("a"), node("b"), node("d")]),
    ],
    options,
  );

describe("why a node", () => {
  test("is in: with the time since when the active provider lists it, and whether the standby lists it", async () => {
    const h = await started();
    const { snapshotSeqNo, snapshot } = h.service.topology.state;
    expect(h.service.explain("a")).toEqual({
      nodeId: "a",
      standing: "in",
      rule: "listed",
      reason: '"primary" is active and lists it',
      node: snapshot!.members.get("a"),
      lastChange: { change: "added", seqNo: snapshotSeqNo, at: h.clock.now(), providerId: "primary" },
      remote: { nodeId: "a", state: "up", lastUpdateAt: h.clock.now() },
      providers: [
        { providerId: "primary", isActive: true, isListed: true, observedAt: h.clock.now(), revision: "1" },
        { providerId: "backup", isActive: false, isListed: true, observedAt: h.clock.now(), revision: "1" },
      ],
      epoch: h.service.topology.epoch,
      seqNo: h.service.topology.state.seqNo,
      status: "ready",
      snapshot: { providerId: "primary", observedAt: snapshot!.observedAt, seqNo: snapshotSeqNo },
      keptSince: 1,
    });
    await h.stop();
  });

  test("is out because only a standby lists it, out because it was removed, or unknown", async () => {
    const h = await started();
    expect(h.service.explain("d")).toMatchObject({
      standing: "out",
      rule: "not_believed",
      reason: '"primary" is active and does not list it; standbys that list it: "backup"',
    });
    h.provider("primary").set([node("a"), node("c")]);
    await h.clock.settle();
    expect(h.service.explain("b")).toMatchObject({
      standing: "out",
      rule: "removed",
      reason: '"primary" removed it; standbys that list it: "backup"',
      node: { id: "b" },
      lastChange: { change: "removed", seqNo: h.service.topology.state.snapshotSeqNo },
      remote: undefined,
    });
    expect(h.service.explain("zebra")).toMatchObject({ standing: "unknown", rule: "never_seen" });
    await h.stop();
  });

  test("is out because it was removed, even if its block was lifted only later", async () => {
    const h = await started({ guards: { massRemoval: { when: "always", holdMs: 60_000 } } });
    h.service.remoting!.block("b");
    h.provider("primary").set([node("a")]);
    await h.clock.advance(60_000);
    const gone = h.service.topology
      .eventsSince(h.service.topology.epoch, 0)!
      .find((event) => event.kind === "snapshot" && !event.snapshot.members.has("b"));
    expect(h.service.topology.state.snapshotSeqNo, "the block is lifted later").toBeGreaterThan(gone!.seqNo);
    expect(h.service.explain("b")).toMatchObject({
      standing: "out",
      rule: "removed",
      lastChange: { change: "removed", seqNo: gone!.seqNo },
    });
    await h.stop();
  });

  test("is held by the removal dwell after a switch, and out after the dwell", async () => {
    const h = await started();
    lose(h, "primary");
    await h.clock.settle();
    expect(h.service.explain("c")).toMatchObject({
      standing: "held",
      rule: "removal_dwell",
      hold: { guard: "removal_dwell", providerId: "backup", until: h.clock.now() + 10_000 },
      providers: [{ providerId: "backup", isActive: true, isListed: false }],
    });
    expect(h.service.explain("a")).toMatchObject({ standing: "in", rule: "listed" });
    await h.clock.advance(10_000);
    expect(h.service.explain("c")).toMatchObject({
      standing: "out",
      rule: "not_listed_after_switch",
      reason: '"backup" took over and did not list it',
    });
    await h.stop();
  });

  test("is held by the mass-removal guard when it is removed, while a new member is in at once", async () => {
    const h = await started({ guards: { massRemoval: { when: "always", holdMs: 60_000 } } });
    h.provider("primary").set([node("new")]);
    await h.clock.settle();
    const held = {
      standing: "held",
      rule: "mass_removal",
      hold: { nodes: 3, until: h.clock.now() + 60_000 },
    };
    expect(h.service.explain("c")).toMatchObject({ ...held, node: { id: "c" } });
    expect(h.service.explain("new")).toMatchObject({ standing: "in", rule: "listed" });
    expect(h.service.acceptRemovals()).toBe(true);
    await h.clock.settle();
    expect(h.service.explain("c")).toMatchObject({ standing: "out", rule: "removed" });
    expect(h.service.explain("new")).toMatchObject({ standing: "in", rule: "listed" });
    await h.stop();
  });

  test("is held by the mass-removal guard after the removal dwell had retained it", async () => {
    const h = await ServiceHarness.started(
      [memory("primary", 2, [node("a"), node("b"), node("c")]), memory("backup", 1, [])],
      { guards: { massRemoval: { when: "always", holdMs: 60_000 } } },
    );
    lose(h, "primary");
    await h.clock.settle();
    expect(h.service.explain("a")).toMatchObject({ rule: "removal_dwell" });
    await h.clock.advance(10_000);
    expect(h.service.explain("a")).toMatchObject({ rule: "mass_removal", hold: { guard: "mass_removal" } });
    expect(h.service.topology.state.statusReason).toMatch(/dropped 3 of 3/);
    lose(h, "backup");
    await h.clock.advance(40_000);
    expect(h.service.topology.state.statusReason).toMatch(/no provider can serve/);
    await h.stop();
  });

  test("is out because it was removed, not because of the switch, at the end of a hold that lasted through a failback", async () => {
    const h = await ServiceHarness.started(
      [memory("primary", 2, [node("a"), node("b"), node("c")]), memory("backup", 1, [node("e")])],
      { guards: { massRemoval: { when: "always", holdMs: 60_000 } } },
    );
    lose(h, "primary");
    await h.clock.advance(10_000);
    expect(h.service.explain("a")).toMatchObject({ rule: "mass_removal", hold: { providerId: "backup" } });
    h.provider("primary").recover();
    h.provider("primary").set([]);
    while (h.service.topology.state.snapshot?.members.has("a")) await h.clock.advance(1_000);
    const { topology } = h.service;
    const kept = topology.eventsSince(topology.epoch, 0)!;
    const turns = kept.flatMap((event) =>
      event.kind === "guard_changed" && event.guard === "mass_removal"
        ? `${event.providerId} ${event.isHolding ? "holds" : "ends"}`
        : [],
    );
    expect(turns.slice(0, 3)).toEqual(["backup holds", "primary holds", "backup ends"]);
    expect(h.service.explain("a")).toMatchObject({ standing: "out", rule: "removed" });
    await h.stop();
  });

  test("is blocked, and after `restore` waits for the next good refresh", async () => {
    // R4.2 R4.4
    const h = await started();
    h.service.remoting!.block("a");
    await h.clock.settle();
    expect(h.service.explain("a")).toMatchObject({
      standing: "blocked",
      rule: "blocked",
      lastChange: { change: "blocked" },
      remote: { state: "down" },
    });
    h.service.remoting!.restore("a");
    await h.clock.settle();
    expect(h.service.explain("a")).toMatchObject({ rule: "restoring", remote: { state: "degraded" } });
    h.provider("primary").heartbeat();
    await h.clock.settle();
    expect(h.service.explain("a")).toMatchObject({
      standing: "in",
      rule: "listed",
      lastChange: { change: "unblocked" },
    });
    await h.stop();
  });

  test("is held because the topology is not current", async () => {
    // R5.3
    const h = await started();
    lose(h, "primary");
    lose(h, "backup");
    await h.clock.advance(60_000);
    expect(h.service.explain("a")).toMatchObject({ standing: "held", rule: "stale", status: "unavailable" });
    await h.stop();
  });

  test("is held from the stored snapshot, and unknown before the first snapshot", async () => {
    const members = MemberSet.from([createClusterNode(node("old"))]);
    const store = new MemorySnapshotStore();
    const h = new ServiceHarness({ lastKnownGood: { store } });
    expect(h.service.explain("old")).toMatchObject({
      standing: "unknown",
      rule: "no_snapshot",
      providers: [],
    });
    const snapshot = createSnapshot({ providerId: "primary", members, observedAt: 0 });
    store.known = { snapshot, confirmedAt: h.clock.now() - 5_000, source: await sourceOf("primary") };
    h.service.registry.on("changed", () => h.provider("primary").refuse(NO));
    await h.service.start({ providers: [memory("primary", 1, [])] });
    await h.clock.settle();
    expect(h.service.explain("old")).toMatchObject({
      standing: "held",
      rule: "last_known_good",
      hold: { nodes: 1 },
      remote: { state: "degraded" },
    });
    await h.stop();
  });

  test("has no last change when that is older than the log", async () => {
    const h = await started({ retainedEvents: 2 });
    for (const id of ["x", "y", "z"]) {
      h.provider("primary").apply({ upsert: [node(id)] });
      await h.clock.settle();
    }
    const { lastChange, keptSince, standing } = h.service.explain("a");
    expect({ lastChange, standing }).toEqual({ lastChange: undefined, standing: "in" });
    expect(keptSince).toBe(h.service.topology.state.seqNo - 1);
    await h.stop();
  });
});
