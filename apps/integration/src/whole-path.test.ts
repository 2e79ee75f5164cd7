import { describe, expect, test } from "vitest";
import { RemoteEventFilter } from "@holdfast/bridges";
import { createSeededRandom, MemoryProviderStore } from "@holdfast/testing";
import { memory, node, ServiceHarness } from "./service-harness.ts";

const PROVIDERS = [
  memory("primary", 2, [node("a"), node("b"), node("c")]),
  memory("backup", 1, [node("a"), node("b"), node("d")]),
];
const NOTHING_LEFT = { unfinished: [], timers: 0, watches: 0 };

describe("the whole path", () => {
  test("register, watch, fail over, notify, block, degrade, exhaust, recover, reload, shut down", async () => {
    // R5.6 R2.1 R2.5 R3.3 R3.4 R4.1 R4.2 R4.4 R5.3
    const h = await ServiceHarness.started(PROVIDERS);
    const { clock, service, journal, remoting, placement, partition } = h;

    // Watch: one tick, Partition before Placement, with the leases in the same tick.
    expect(h.status).toBe("ready");
    const first = service.topology.state.snapshotSeqNo;
    expect(journal.lines().filter((line) => !line.includes("notify"))).toEqual([
      `partition.applySnapshot ${first}`,
      `placement.applySnapshot ${first}`,
      `partition.publishLeases ${first}`,
    ]);
    expect(remoting.events.map(({ kind, node: { id } }) => `${kind} ${id}`)).toEqual([
      "join a",
      "join b",
      "join c",
    ]);

    // Fail over.
    h.break("primary");
    await clock.advance(20_000);
    const changed = placement.notices.find(({ kind }) => kind === "provider_changed");
    expect(changed).toMatchObject({ from: "primary", to: "backup", reason: "errors" });
    expect(partition.notices).toContainEqual(changed);
    const fromBackup = placement.ticks.find(({ snapshot }) => snapshot.providerId === "backup")!;
    expect(changed!.seqNo).toBeLessThan(fromBackup.seqNo);
    expect(remoting.events.slice(3).map(({ kind, node: { id } }) => `${kind} ${id}`)).toEqual([
      "join d",
      // The member is retained until the standby has been healthy for the removal dwell.
      "leave c",
    ]);

    // Block and unblock.
    expect(service.remoting!.block("a")).toBe(true);
    await clock.settle();
    expect(partition.ticks.at(-1)!.snapshot.blockedNodes).toEqual(["a"]);
    expect(placement.ticks.at(-1)!.delta.blocked).toEqual(["a"]);
    expect(remoting.events.at(-1)).toMatchObject({ kind: "blocked", node: { id: "a" } });
    service.remoting!.restore("a");
    await clock.settle();
    expect(remoting.events.at(-1)).toMatchObject({ kind: "blocked" });
    h.provider("backup").heartbeat();
    await clock.settle();
    expect(remoting.events.at(-1)).toMatchObject({ kind: "unblocked", node: { id: "a" } });

    // Degrade, then exhaust.
    h.break("backup");
    await clock.settle();
    expect(h.status).toBe("degraded");
    await expect(service.placement!.admit()).resolves.toMatchObject({ seqNo: expect.any(Number) });
    await clock.advance(60_000);
    expect(h.status).toBe("unavailable");
    await expect(service.placement!.admit()).rejects.toMatchObject({ code: "TOPOLOGY_UNAVAILABLE" });
    expect(service.topology.state).toMatchObject({ isStale: true, snapshot: { providerId: "backup" } });
    for (const port of [placement, partition, remoting]) {
      expect(port.notices.at(-1)).toMatchObject({ kind: "status_changed", to: "unavailable" });
    }

    // Recover: first the provider that delivers first, then the one of higher priority after its cooldown.
    h.provider("backup").recover();
    await clock.advance(30_000);
    expect(h.status).toBe("ready");
    h.provider("primary").recover();
    await clock.advance(40_000);
    expect(service.topology.state.snapshot!.providerId).toBe("primary");

    // Reload: the active provider is removed.
    await service.registry.reload([PROVIDERS[1]]);
    await clock.settle();
    expect(service.topology.state.snapshot!.providerId).toBe("backup");
    expect(h.events.findLast(({ kind }) => kind === "provider_changed")).toMatchObject({
      reason: "removed_by_reload",
    });

    // Shut down.
    expect(await h.stop()).toEqual(NOTHING_LEFT);
    expect(placement.notices.at(-1)).toMatchObject({ kind: "status_changed", to: "draining" });
    expect(h.status).toBe("stopped");
    expect(h.events.map(({ seqNo }) => seqNo)).toEqual(h.events.map((_, i) => i + 1));
  });

  test("a provider whose watch stays silent is left after the timeout", async () => {
    // R2.6 R5.6
    const h = await ServiceHarness.started(PROVIDERS);
    h.provider("primary").hang();
    await h.clock.advance(15_000);
    expect(h.service.topology.state.snapshot!.providerId).toBe("backup");
    expect(h.events.findLast(({ kind }) => kind === "provider_changed")).toMatchObject({ reason: "timeout" });
    expect(await h.stop()).toEqual(NOTHING_LEFT);
  });

  test("an empty topology pauses placement until there is a member", async () => {
    // R2.4 R3.2
    const h = await ServiceHarness.started([memory("only", 1)]);
    expect(h.status).toBe("empty");
    await expect(h.service.placement!.admit()).rejects.toMatchObject({ code: "TOPOLOGY_EMPTY" });
    expect(() => h.service.partition!.newest()).toThrow(/TOPOLOGY_EMPTY/);
    h.provider("only").set([node("a")]);
    await h.clock.settle();
    await expect(h.service.placement!.admit()).resolves.toBeDefined();
    expect(h.service.partition!.newest().members.size).toBe(1);
    expect(h.placement.notices.map((notice) => notice.kind === "status_changed" && notice.to)).toEqual([
      "empty",
      "ready",
    ]);
    await h.stop();
  });

  test("a placement request after a snapshot waits for the leases of that snapshot", async () => {
    // R3.1
    const h = await ServiceHarness.started(PROVIDERS);
    const release = h.placement.hold();
    h.provider("primary").apply({ upsert: [node("z")] });
    await h.clock.settle();
    const { snapshotSeqNo, snapshot } = h.service.topology.state;
    let admitted: unknown;
    void h.service.placement!.admit().then((admission) => (admitted = admission));
    await h.clock.settle();
    expect(admitted).toBeUndefined();
    release();
    await h.clock.settle();
    expect(admitted).toEqual({ seqNo: snapshotSeqNo, snapshotHash: snapshot!.hash });
    await h.stop();
  });

  test("joins wait while the snapshot is stale, leaves do not, and the joins are sent once it is fresh", async () => {
    // R4.3
    const h = await ServiceHarness.started([memory("only", 1, [node("a"), node("b")])]);
    const seen = () => h.remoting.events.map(({ kind, node: { id } }) => `${kind} ${id}`);
    h.provider("only").set([node("b"), node("c")], { observedAt: h.clock.now() - 60_000 });
    await h.clock.settle();
    expect(h.status).toBe("degraded");
    expect(h.remoting.notices.at(-1)).toMatchObject({ kind: "status_changed", to: "degraded" });
    expect(seen()).toEqual(["join a", "join b", "leave a"]);
    h.provider("only").heartbeat();
    await h.clock.settle();
    expect(h.status).toBe("ready");
    expect(seen()).toEqual(["join a", "join b", "leave a", "join c"]);
    await h.stop();
  });

  test("a switch between providers with equal content opens and closes no channel", async () => {
    const same = [node("a"), node("b")];
    const h = await ServiceHarness.started([memory("primary", 2, same), memory("backup", 1, same)]);
    const before = h.remoting.events.length;
    h.provider("primary").end();
    await h.clock.settle();
    expect(h.service.topology.state.snapshot!.providerId).toBe("backup");
    expect(h.remoting.events.length).toBe(before);
    await h.stop();
  });

  test("every remote event has a unique key, also after a restart, and a receiver drops repeated events", async () => {
    // R4.1
    const store = new MemoryProviderStore();
    const keys = new Set<string>();
    let count = 0;
    const filter = new RemoteEventFilter();
    for (let run = 0; run < 3; run++) {
      // The same second on the same clock: only the random part distinguishes the runs.
      const h = new ServiceHarness({ store: store.reopen(), random: createSeededRandom(run) });
      await h.service.start(run === 0 ? { providers: PROVIDERS } : {});
      await h.clock.settle();
      h.provider("primary").apply({ remove: ["a"] });
      await h.clock.settle();
      expect(h.remoting.events).toHaveLength(4);
      for (const event of h.remoting.events) {
        const { epoch, seqNo, kind } = event;
        expect(event.key).toBe(`${epoch}/${seqNo}/${event.node.id}/${kind}`);
        keys.add(event.key);
        count++;
        if (run === 0) {
          expect(filter.accept(event)).toBe(true);
          expect(filter.accept(event)).toBe(false);
        }
      }
      await h.stop();
    }
    expect(keys.size).toBe(count);
  });

  test("the health of providers and of remote nodes can be read", async () => {
    // R4.5
    const h = await ServiceHarness.started(PROVIDERS);
    h.service.remoting!.block("b");
    h.break("backup");
    await h.clock.settle();
    expect(h.service.providerHealth()).toMatchObject([
      { providerId: "primary", health: "healthy", isActive: true, lastUpdateAt: h.clock.now() },
      { providerId: "backup", health: "degraded", isActive: false, errors: 1 },
    ]);
    const nodes = [...h.service.remoteNodes()];
    expect(nodes).toMatchObject([
      { nodeId: "a", state: "up" },
      { nodeId: "b", state: "down" },
      { nodeId: "c", state: "up" },
    ]);
    expect(nodes.every(({ lastUpdateAt }) => lastUpdateAt === h.clock.now())).toBe(true);
    await h.stop();
  });
});

describe("consumers that misbehave", () => {
  test("a failing consumer is retried with a warning, and does not affect the others", async () => {
    const h = await ServiceHarness.started(PROVIDERS);
    h.placement.failNext(3, new Error("ownership is confused"));
    h.provider("primary").apply({ upsert: [node("z")] });
    await h.clock.settle();
    expect(h.remoting.events.at(-1)).toMatchObject({ kind: "join", node: { id: "z" } });
    await h.clock.advance(60_000);
    expect(h.placement.ticks.at(-1)!.snapshot.members.has("z")).toBe(true);
    expect(h.warnings.filter(({ code }) => code === "LIFECYCLE_CONSUMER_FAILED")).toHaveLength(3);
    await h.stop();
  });

  test("a consumer that hangs is named in the report at the deadline of the drain", async () => {
    // R3.5
    const h = await ServiceHarness.started(PROVIDERS);
    h.placement.hold();
    h.provider("primary").apply({ upsert: [node("z")] });
    await h.clock.settle();
    const { unfinished, ...left } = await h.stop(3_000);
    expect(unfinished[0]).toContain("placement.applySnapshot");
    expect(left).toEqual({ timers: 0, watches: 0 });
    expect(h.clock.monotonic()).toBe(3_000);
  });

  test("during a drain, new snapshots are rejected and the last one is kept", async () => {
    // R3.5
    const h = await ServiceHarness.started(PROVIDERS);
    const release = h.placement.hold();
    h.provider("primary").apply({ upsert: [node("y")] });
    await h.clock.settle();
    const stopping = h.service.stop();
    await h.clock.settle();
    h.provider("primary").apply({ upsert: [node("z")] });
    await expect(h.service.placement!.admit()).rejects.toMatchObject({ code: "LIFECYCLE_SHUTTING_DOWN" });
    expect(() => h.service.partition!.newest()).toThrow(/LIFECYCLE_SHUTTING_DOWN/);
    release();
    await h.clock.settle();
    expect(await stopping).toEqual({ unfinished: [] });
    const last = h.partition.ticks.at(-1)!.snapshot.members;
    expect([last.has("y"), last.has("z")]).toEqual([true, false]);
    expect(h.service.partition!.lastSnapshot!.members.has("y")).toBe(true);
  });
});

describe("starting and reloading", () => {
  test("a restart restores exactly the stored set, including reasons for disabled providers, and watches it", async () => {
    // R1.3 R1.5
    const store = new MemoryProviderStore();
    const first = new ServiceHarness({ store });
    await first.service.start({ providers: PROVIDERS });
    const before = first.service.registry.list().map(({ descriptor }) => descriptor);
    await first.stop();
    const second = new ServiceHarness({ store: store.reopen() });
    await second.service.start();
    await second.clock.settle();
    expect(second.service.registry.list().map(({ descriptor }) => descriptor)).toEqual(before);
    expect(second.status).toBe("ready");
    await second.stop();
  });

  test("a damaged store rejects the start, and leaves nothing running", async () => {
    // R1.5
    const store = new MemoryProviderStore();
    const first = new ServiceHarness({ store });
    await first.service.start({ providers: PROVIDERS });
    await first.stop();
    store.damage();
    const { contents } = store;
    const second = new ServiceHarness({ store: store.reopen() });
    await expect(second.service.start()).rejects.toMatchObject({ code: "STORE_CORRUPTED" });
    expect(store.contents).toBe(contents);
    expect(await second.stop()).toEqual(NOTHING_LEFT);
    await expect(second.service.start()).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
  });

  test("a reload that fails in the middle leaves the old set in force, watched without interruption", async () => {
    // R5.4
    const store = new MemoryProviderStore();
    const h = await ServiceHarness.started(PROVIDERS, { store });
    const { contents } = store;
    const seqNo = h.service.topology.state.seqNo;
    store.failNext(1);
    await expect(h.service.registry.reload([memory("new", 9, [node("x")])])).rejects.toMatchObject({
      code: "STORE_IO",
    });
    await expect(h.service.registry.reload([memory("new", 9), { id: "bad" }])).rejects.toMatchObject({
      category: "validation",
    });
    await h.clock.advance(30_000);
    expect(store.contents).toBe(contents);
    expect(h.service.topology.state).toMatchObject({
      seqNo,
      status: "ready",
      snapshot: { providerId: "primary" },
    });
    expect(h.provider("primary").watches).toBe(1);
    await h.stop();
  });

  test("a provider that is disabled is listed with its reason and never watched", async () => {
    // R1.3
    const h = new ServiceHarness();
    const create = h.adapter.create.bind(h.adapter);
    h.adapter.create = (descriptor, context) => {
      const made = create(descriptor, context);
      if (descriptor.id === "blind") h.provider("blind").capabilities = { watch: false };
      return made;
    };
    await h.service.start({ providers: [...PROVIDERS, memory("blind", 9, [node("x")])] });
    await h.clock.settle();
    expect(h.service.providerHealth()[0]).toMatchObject({
      providerId: "blind",
      health: "disabled",
      reason: { code: "VALIDATION_MISSING_CAPABILITY" },
    });
    expect(h.service.topology.state.snapshot!.providerId).toBe("primary");
    await h.clock.advance(60_000);
    expect(h.provider("blind").watches).toBe(0);
    await h.stop();
  });

  test("repeated registrations that fail are suppressed for some time, with one warning", async () => {
    // R5.2
    const h = await ServiceHarness.started(PROVIDERS);
    const bad = { id: "bad", kind: "memory", priority: "high", params: {} };
    for (let i = 0; i < 3; i++) {
      await expect(h.service.registry.register(bad)).rejects.toMatchObject({ category: "validation" });
    }
    await expect(h.service.registry.register(bad)).rejects.toMatchObject({ code: "VALIDATION_SUPPRESSED" });
    expect(h.warnings.filter(({ code }) => code === "VALIDATION_SUPPRESSED")).toHaveLength(1);
    await h.clock.advance(60_000);
    await h.service.registry.register({ ...bad, priority: 3 });
    await h.stop();
  });

  test("an override by an operator switches all consumers, and can be released", async () => {
    // R3.4
    const h = await ServiceHarness.started(PROVIDERS);
    const lastChange = () => h.placement.notices.findLast(({ kind }) => kind === "provider_changed");
    h.service.override("backup");
    await h.clock.settle();
    expect(lastChange()).toMatchObject({ to: "backup", reason: "manual_override" });
    expect(h.placement.ticks.at(-1)!.snapshot.providerId).toBe("backup");
    h.service.override(undefined);
    await h.clock.advance(20_000);
    expect(lastChange()).toMatchObject({ to: "primary", reason: "recovered" });
    expect(h.placement.ticks.at(-1)!.snapshot.providerId).toBe("primary");
    await h.stop();
  });
});
