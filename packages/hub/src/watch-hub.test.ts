import { createSeededRandom, ScriptedUpdates, VirtualClock } from "@holdfast/testing";
import {
  createClusterNode,
  createSnapshot,
  MemberSet,
  ProvisioningError,
  type ClusterProvider,
  type TopologyEvent,
} from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { MemoryProvider } from "@holdfast/provider-memory";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { WatchHub, type WatchHubOptions } from "./watch-hub.ts";

const node = (id: string, host = `${id}.local`) => ({ id, host, port: 80 });

/** Failover over one provider. */
const sourceOf = (clock: VirtualClock, provider: ClusterProvider) =>
  new Failover({ providers: [provider], clock, random: () => 0.5 });

async function setUp(options: Partial<WatchHubOptions> = {}) {
  const clock = new VirtualClock();
  const random = createSeededRandom(7);
  const primary = new MemoryProvider({ id: "primary", priority: 2, clock, members: [node("a"), node("b")] });
  const backup = new MemoryProvider({ id: "backup", priority: 1, clock, members: [node("a"), node("b")] });
  // Most of these tests change the primary alone.
  const guards = { massRemoval: false } as const;
  const failover = new Failover({ providers: [primary, backup], clock, random, guards });
  const errors: ProvisioningError[] = [];
  const hub = new WatchHub({
    source: failover,
    clock,
    random,
    onError: (error) => errors.push(error),
    ...options,
  });
  const events: TopologyEvent[] = [];
  hub.onEvent((event) => events.push(event));
  /** The log since the last call in a few words, without health. */
  const news = () =>
    events.splice(0).flatMap((event) => {
      if (event.kind === "snapshot") {
        const blocked = event.snapshot.blockedNodes.map((id) => ` -${id}`).join("");
        return [...event.snapshot.members].map(({ id }) => id).join(",") + blocked;
      }
      if (event.kind === "status_changed") return event.to;
      if (event.kind === "provider_changed") return `${event.from}>${event.to}`;
      if (event.kind === "stream_terminated") return `${event.providerId} over`;
      return [];
    });
  hub.start();
  await clock.settle();
  return { clock, primary, backup, failover, hub, events, news, errors };
}

describe("the ordered log", () => {
  test("numbers every event 1, 2, 3, ... under one epoch that sorts by time", async () => {
    // R3.1
    const { clock, primary, hub, events } = await setUp();
    primary.apply({ remove: ["a"] });
    primary.end();
    await clock.advance(1_000);
    expect(events.length).toBeGreaterThan(5);
    expect(events.map(({ seqNo }) => seqNo)).toEqual(events.map((_, i) => i + 1));
    expect(new Set(events.map(({ epoch }) => epoch))).toEqual(new Set([hub.epoch]));
    clock.jump(1);
    const later = new WatchHub({ source: new ScriptedUpdates(), clock, random: () => 0 });
    expect(later.epoch > hub.epoch).toBe(true);
  });

  test("delivers the first snapshot always, then only content that differs, naming the cache that is void", async () => {
    // R2.3
    const { clock, primary, hub, events } = await setUp();
    const first = events.find(({ kind }) => kind === "snapshot");
    expect(first).toMatchObject({ previousHash: undefined });
    const hash = hub.state.snapshot!.hash;
    events.length = 0;
    primary.set([node("b"), node("a")]);
    await clock.settle();
    expect(events).toEqual([]);
    expect(hub.state.snapshot!.hash).toBe(hash);
    primary.set([node("a", "elsewhere"), node("b")]);
    await clock.settle();
    expect(events).toMatchObject([
      {
        kind: "snapshot",
        previousHash: hash,
        delta: { updated: [{ before: node("a"), after: node("a", "elsewhere") }] },
      },
    ]);
  });

  test("delivers a first snapshot without members too", async () => {
    // R2.3 R2.4
    const clock = new VirtualClock();
    const provider = new MemoryProvider({ id: "p", clock });
    const hub = new WatchHub({ source: sourceOf(clock, provider), clock, random: () => 0 });
    const kinds: string[] = [];
    hub.onEvent(({ kind }) => kinds.push(kind));
    hub.start();
    await clock.settle();
    expect(kinds).toEqual(["health_changed", "health_changed", "snapshot", "status_changed"]);
    expect(hub.state.status).toBe("empty");
  });

  test("marks a topology without members as empty and the next with members as ready", async () => {
    // R2.4
    const { clock, primary, hub, news } = await setUp();
    news();
    primary.set([]);
    await clock.settle();
    expect(news()).toEqual(["", "empty"]);
    expect(() => hub.newest()).toThrow(/TOPOLOGY_EMPTY/);
    primary.set([node("c")]);
    await clock.settle();
    expect(news()).toEqual(["c", "ready"]);
  });

  test("is degraded, not ready, while a guard shows members that the active provider does not list", async () => {
    // R2.4
    const { clock, primary, backup, hub, news } = await setUp();
    primary.set([node("a"), node("b"), node("c")]);
    await clock.settle();
    news();
    primary.end();
    await clock.settle();
    expect(news().at(-1)).toBe("degraded");
    expect(hub.state).toMatchObject({
      isStale: false,
      statusReason: expect.stringMatching(
        /^1 of the 3 members are not listed by "backup": "backup" took over/,
      ),
    });
    expect(() => hub.newest()).not.toThrow();
    backup.set([]);
    await clock.settle();
    expect(hub.state.status).toBe("degraded");
    expect(hub.state.statusReason).toMatch(/^"backup" reports no members: /);
    // Placement pauses: the active provider lists no member.
    expect(() => hub.newest()).toThrow(/TOPOLOGY_EMPTY/);
    await clock.advance(10_000);
    expect(hub.state.status).toBe("empty");
  });

  test("lifts no block while a guard keeps members: only a refresh that no provider doubts is good", async () => {
    // R4.4 R2.8
    const { clock, primary, hub } = await setUp();
    primary.set([node("a"), node("b"), node("c")]);
    await clock.settle();
    hub.block("a");
    primary.end();
    await clock.settle();
    hub.restore("a");
    await clock.advance(9_999);
    expect(hub.state).toMatchObject({ status: "degraded", restoringNodes: ["a"] });
    await clock.advance(20_000);
    expect(hub.state).toMatchObject({ status: "ready", restoringNodes: [] });
  });

  test("equal content of which the active provider lists nothing any more, or lists again, is a change of status", async () => {
    // R2.4 R3.2: what waits to base work on it has to know.
    const members = MemberSet.from([node("a"), node("b")].map(createClusterNode));
    const shown = (retained?: readonly string[]) =>
      createSnapshot({ providerId: "p", members, observedAt: 0, retained });
    const source = new ScriptedUpdates();
    const { hub, events } = await setUp({ source });
    source.send({ availability: "degraded", snapshot: shown() });
    const next = (retained?: readonly string[]) => {
      events.length = 0;
      source.send({ snapshot: shown(retained) });
      return events.map((event) => event.kind);
    };
    expect(next(["a"]), "one of two").toEqual([]);
    expect(next(["a", "b"]), "all of them").toEqual(["status_changed"]);
    expect(() => hub.newest()).toThrow(/TOPOLOGY_EMPTY/);
    expect(next(["a", "b"]), "still all of them").toEqual([]);
    expect(next(), "none").toEqual(["status_changed"]);
    expect(hub.newest().members.size).toBe(2);
  });

  test("a switch to equal content is told, and delivers nothing else", async () => {
    // R2.3 R3.4
    const { clock, primary, hub, events, news } = await setUp();
    const { hash } = hub.state.snapshot!;
    news();
    primary.end();
    await clock.settle();
    const changed = events.find(({ kind }) => kind === "provider_changed");
    expect(changed).toMatchObject({
      from: "primary",
      to: "backup",
      reason: "stream_ended",
      snapshotHash: hash,
    });
    expect(news()).toEqual(["primary over", "primary>backup"]);
    expect(hub.state.snapshot!.providerId).toBe("backup");
  });

  test("a stream's end is told and kept with the hash of its last snapshot, which stays readable", async () => {
    // R2.2
    const { clock, primary, backup, hub } = await setUp();
    const { hash } = hub.state.snapshot!;
    backup.refuse();
    backup.fail();
    await clock.settle();
    primary.end();
    await clock.settle();
    expect(hub.terminations()).toMatchObject([
      { providerId: "backup", reason: { kind: "errored", code: "STREAM_FAILED" } },
      { providerId: "primary", reason: { kind: "ended" }, snapshotHash: hash },
    ]);
    expect(hub.state.snapshot!.hash).toBe(hash);
    expect(hub.state).toMatchObject({ status: "degraded", isStale: true });
    expect(hub.newest().hash).toBe(hash);
  });

  test("with every provider gone it says unavailable, and the last snapshot stays readable, marked stale", async () => {
    // R5.3
    const { clock, primary, backup, hub, news } = await setUp();
    for (const provider of [primary, backup]) {
      provider.refuse();
      provider.fail();
    }
    await clock.advance(120_000);
    expect(news().at(-1)).toBe("unavailable");
    expect(hub.state).toMatchObject({ status: "unavailable", isStale: true });
    expect(hub.state.snapshot!.members.size).toBe(2);
    expect(() => hub.newest()).toThrow(/TOPOLOGY_UNAVAILABLE/);
    backup.recover();
    await clock.advance(30_000);
    expect(hub.state).toMatchObject({ status: "ready", isStale: false });
  });

  test("before anything has arrived the newest snapshot is refused with that reason", () => {
    // R3.2
    const clock = new VirtualClock();
    const provider = new MemoryProvider({ id: "p", clock });
    const hub = new WatchHub({ source: sourceOf(clock, provider), clock, random: () => 0 });
    expect(() => hub.newest()).toThrow(/TOPOLOGY_NO_SNAPSHOT/);
  });

  test("sets the state before it tells anybody, and a listener that throws or rejects hurts nobody else", async () => {
    const { clock, primary, hub, errors } = await setUp();
    hub.onEvent(() => {
      throw new Error("first");
    });
    hub.onEvent(() => Promise.reject(new Error("second")));
    const seen: [number, number | undefined][] = [];
    hub.onEvent((event) => seen.push([event.seqNo, hub.state.snapshot?.members.size]));
    primary.apply({ remove: ["a"] });
    await clock.settle();
    expect(seen).toEqual([[hub.state.seqNo, 1]]);
    expect(errors.map(({ code }) => code)).toEqual([
      "LIFECYCLE_CONSUMER_FAILED",
      "LIFECYCLE_CONSUMER_FAILED",
    ]);
  });

  test("a listener that acts on the hub does not change the order for the others", async () => {
    const { clock, primary, hub } = await setUp();
    hub.onEvent((event) => event.kind === "snapshot" && hub.block("b"));
    const seen: number[] = [];
    hub.onEvent(({ seqNo }) => seen.push(seqNo));
    primary.apply({ upsert: [node("c")] });
    await clock.settle();
    expect(seen.length).toBe(2);
    expect(seen[1]).toBe(seen[0]! + 1);
  });
});

describe("blocked nodes", () => {
  test("a blocked member stays a member, marked, under another hash", async () => {
    // R4.2
    const { hub, news } = await setUp();
    const { hash } = hub.state.snapshot!;
    news();
    expect(hub.block("a")).toBe(true);
    expect(news()).toEqual(["a,b -a"]);
    expect(hub.state.snapshot!.hash).not.toBe(hash);
    expect(hub.block("a")).toBe(false);
    expect(hub.block("nobody")).toBe(false);
  });

  test("a block while the topology is not current is a warning that names the node", async () => {
    // R4.2
    const { clock, primary, backup, hub, errors } = await setUp();
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
    const { clock, primary, hub, news } = await setUp();
    const { hash } = hub.state.snapshot!;
    hub.block("a");
    primary.apply({ upsert: [node("c")] });
    await clock.settle();
    expect(hub.state.snapshot!.blockedNodes).toEqual(["a"]);
    news();
    expect(hub.restore("a")).toBe(true);
    expect(hub.restore("a")).toBe(false);
    expect(hub.state.restoringNodes).toEqual(["a"]);
    expect(news()).toEqual([]);
    primary.heartbeat();
    await clock.settle();
    expect(news()).toEqual(["a,b,c"]);
    primary.apply({ remove: ["c"] });
    await clock.settle();
    expect(hub.state.snapshot!.hash).toBe(hash);
  });

  test("a refresh while degraded is not a good one", async () => {
    // R4.4
    const { clock, primary, backup, hub } = await setUp();
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

  test("what a stand-by had said before it took over is no refresh: its next word is", async () => {
    // R4.4
    const { clock, primary, backup, hub } = await setUp();
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

  test("the word with which a provider becomes current again is a good refresh", async () => {
    // R4.4
    const { clock, primary, backup, hub } = await setUp();
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

  test("who left in a good refresh is no longer blocked: a departed member is not blocked for ever", async () => {
    const { clock, primary, hub, news } = await setUp();
    hub.block("a");
    primary.apply({ remove: ["a"] });
    await clock.settle();
    primary.apply({ upsert: [node("a")] });
    await clock.settle();
    expect(news().slice(-2)).toEqual(["b", "a,b"]);
  });

  test("a block survives a fail-over", async () => {
    const { clock, primary, hub } = await setUp();
    hub.block("a");
    primary.end();
    await clock.settle();
    expect(hub.state.snapshot).toMatchObject({ providerId: "backup", blockedNodes: ["a"] });
  });
});

/** 5,000 members, 20 of which have another port in each version. */
const spread = (version: number) =>
  Array.from({ length: 5_000 }, (_, i) => ({ ...node(`n${i}`), port: i % 250 === 0 ? version : 1 }));

describe("looking back", () => {
  test("gives the events after a number, and says when the gap is too old, to come, or of another epoch", async () => {
    const { clock, primary, hub, events } = await setUp({ retainedEvents: 5 });
    for (let i = 0; i < 10; i++) {
      primary.apply({ upsert: [node(`n${i}`)] });
      await clock.settle();
    }
    const { seqNo } = hub.state;
    expect(hub.eventsSince(hub.epoch, seqNo)).toEqual([]);
    expect(hub.eventsSince(hub.epoch, seqNo - 5)).toEqual(events.slice(-5));
    expect(hub.eventsSince(hub.epoch, seqNo - 6)).toBeUndefined();
    expect(hub.eventsSince(hub.epoch, seqNo + 1)).toBeUndefined();
    expect(hub.eventsSince("another", seqNo)).toBeUndefined();
  });

  test("keeps no more changed nodes than allowed, however few events that is, and the newest snapshot always", async () => {
    const { clock, primary, hub } = await setUp({ retainedChanges: 30 });
    const sizes = [11, 12, 13, 60];
    const first = hub.state.seqNo;
    for (const size of sizes) {
      primary.set(Array.from({ length: size }, (_, i) => ({ ...node(`n${i}`), port: size })));
      await clock.settle();
    }
    const { seqNo } = hub.state;
    expect(seqNo).toBe(first + sizes.length);
    expect(hub.eventsSince(hub.epoch, seqNo - 1)).toMatchObject([{ seqNo, kind: "snapshot" }]);
    expect(hub.eventsSince(hub.epoch, seqNo - 2)).toBeUndefined();
  });

  test("keeps few versions that differ all over, and many that differ in one place", async () => {
    const { clock, primary, hub } = await setUp({ retainedChanges: 1_000 });
    const kept = () => {
      let count = 0;
      while (hub.eventsSince(hub.epoch, hub.state.seqNo - count - 1) !== undefined) count++;
      return count;
    };
    for (let version = 1; version <= 50; version++) {
      primary.set(spread(version));
      await clock.settle();
    }
    const afterSpread = kept();
    for (let version = 51; version <= 100; version++) {
      primary.apply({ upsert: [{ ...node("n7"), port: version }] });
      await clock.settle();
    }
    expect(afterSpread).toBeLessThan(10);
    expect(kept()).toBeGreaterThan(40);
  });

  test("keeps no more copies of equal members than allowed, as watches begun anew bring them", async () => {
    const { clock, backup, failover, hub } = await setUp({ retainedChanges: 1_000 });
    const members = Array.from({ length: 300 }, (_, i) => node(`n${i}`));
    const copies = new Set<unknown>();
    for (let port = 1; port <= 20; port++) {
      const changing = { ...node("x"), port };
      const renewed = new MemoryProvider({
        id: "primary",
        priority: 2,
        clock,
        members: [...members, changing],
      });
      failover.reconfigure([renewed, backup]);
      await clock.settle();
    }
    for (let seqNo = hub.state.seqNo - 1; seqNo > 0; seqNo--) {
      const event = hub.eventsSince(hub.epoch, seqNo)?.[0];
      if (event?.kind === "snapshot") copies.add(event.snapshot.members.get("n7"));
    }
    expect(copies.size).toBe(3);
  });
});

describe("the end", () => {
  test("a drain refuses what comes after it and keeps the last snapshot for those who drain", async () => {
    // R3.5
    const { clock, primary, hub, news } = await setUp();
    const { hash } = hub.state.snapshot!;
    news();
    hub.drain("shutting down for the test");
    primary.apply({ upsert: [node("z")] });
    await clock.settle();
    expect(news()).toEqual(["draining"]);
    expect(hub.state).toMatchObject({ status: "draining", statusReason: "shutting down for the test" });
    expect(hub.state.snapshot!.hash).toBe(hash);
    expect(() => hub.newest()).toThrow(/LIFECYCLE_SHUTTING_DOWN/);
    expect(hub.block("a")).toBe(false);
    await hub[Symbol.asyncDispose]();
    await hub[Symbol.asyncDispose]();
    expect(news()).toEqual(["stopped"]);
    expect(clock.pendingTimers).toBe(0);
    expect(primary.watches).toBe(0);
    expect(() => hub.start()).toThrow(/LIFECYCLE_STOPPED/);
  });

  test.each([
    ["ends", undefined, "the source of updates has ended"],
    ["fails", new ProvisioningError("STREAM_FAILED", "broken"), "broken"],
    ["fails with any value", "odd", "the source of updates failed"],
  ])("a source that %s by itself leaves the hub unavailable, with the reason", async (_, failure, reason) => {
    const source = new ScriptedUpdates();
    const { clock, hub, errors } = await setUp({ source });
    const members = MemberSet.from([createClusterNode(node("a"))]);
    source.send({ snapshot: createSnapshot({ providerId: "p", members, observedAt: 0 }) });
    if (failure === undefined) source.end();
    else source.fail(failure);
    await clock.settle();
    expect(hub.state).toMatchObject({ status: "unavailable", isStale: true });
    expect(hub.state.statusReason).toContain(reason);
    expect(errors).toHaveLength(failure === undefined ? 0 : 1);
    await hub[Symbol.asyncDispose]();
  });
});

const deaf = (clock: VirtualClock): ClusterProvider => {
  const memory = new MemoryProvider({ id: "deaf", clock, members: [node("a")] });
  memory.watch = async function* () {
    yield* MemoryProvider.prototype.watch.call(memory, { signal: new AbortController().signal });
  };
  return memory;
};

describe("in spite of others' code", () => {
  test("a watch that ignores its signal holds up neither a drain nor the end, and is not heard after it", async () => {
    // R3.5
    const clock = new VirtualClock();
    const provider = deaf(clock);
    const hub = new WatchHub({ source: sourceOf(clock, provider), clock, random: () => 0 });
    hub.start();
    await clock.settle();
    const { seqNo } = hub.state;
    let isStopped = false;
    void hub[Symbol.asyncDispose]().then(() => (isStopped = true));
    await clock.settle();
    expect(isStopped).toBe(true);
    await clock.advance(60_000);
    expect(hub.state).toMatchObject({ status: "stopped", seqNo: seqNo + 1 });
  });

  test.each<[string, () => unknown]>([
    [
      "throws",
      () => {
        throw new Error("first");
      },
    ],
    ["rejects", () => Promise.reject(new Error("second"))],
  ])("an onError that %s stops neither the others nor the hub", async (_, onError) => {
    const { clock, primary, hub, news } = await setUp({ onError });
    hub.onEvent(() => {
      throw new Error("listener");
    });
    hub.onEvent(() => Promise.reject(new Error("listener")));
    news();
    const seen: number[] = [];
    hub.onEvent(({ seqNo }) => seen.push(seqNo));
    primary.apply({ upsert: [node("c")] });
    await clock.settle();
    primary.apply({ upsert: [node("d")] });
    await clock.settle();
    expect(news()).toEqual(["a,b,c", "a,b,c,d"]);
    expect(seen).toHaveLength(2);
  });

  test("a snapshot that arrives while the hub drains is refused, with the reason", async () => {
    // R3.5 R5.5
    const source = new ScriptedUpdates();
    const { hub, errors } = await setUp({ source });
    const snapshot = createSnapshot({ providerId: "p", members: MemberSet.empty, observedAt: 0 });
    hub.drain("closing time");
    source.send({ snapshot });
    source.send({ snapshot, isFresh: true });
    expect(hub.state).toMatchObject({ status: "draining", snapshot: undefined });
    expect(errors).toMatchObject([
      { code: "LIFECYCLE_SHUTTING_DOWN", details: { providerId: "p", reason: "closing time" } },
    ]);
    await hub[Symbol.asyncDispose]();
  });

  test("an update that a listener causes is announced after the whole of the present one", async () => {
    // R3.1 R3.4
    const source = new ScriptedUpdates();
    const { hub, events } = await setUp({ source });
    const members = MemberSet.from([createClusterNode(node("a"))]);
    const snapshot = createSnapshot({ providerId: "p", members, observedAt: 0 });
    let isFirst = true;
    hub.onEvent(({ kind }) => {
      if (kind !== "health_changed" || !isFirst) return;
      isFirst = false;
      source.send({ availability: "degraded", reason: "overridden" });
    });
    source.send({ snapshot, health: [{ providerId: "p", from: "idle", to: "healthy" }] });
    expect(events.map((event) => (event.kind === "status_changed" ? event.to : event.kind))).toEqual([
      "health_changed",
      "snapshot",
      "ready",
      "degraded",
    ]);
    await hub[Symbol.asyncDispose]();
  });

  test("a drain by a listener refuses the rest of the update", async () => {
    // R3.5
    const source = new ScriptedUpdates();
    const { hub, events, errors } = await setUp({ source });
    hub.onEvent(({ kind }) => {
      if (kind === "health_changed") hub.drain("enough");
    });
    const snapshot = createSnapshot({ providerId: "p", members: MemberSet.empty, observedAt: 0 });
    source.send({ snapshot, health: [{ providerId: "p", from: "idle", to: "healthy" }] });
    expect(events.map(({ kind }) => kind)).toEqual(["health_changed", "status_changed"]);
    expect(errors).toMatchObject([{ code: "LIFECYCLE_SHUTTING_DOWN" }]);
    await hub[Symbol.asyncDispose]();
  });

  test("waiting for the first content after nobody could be reached gives that as the reason", async () => {
    const clock = new VirtualClock();
    const failover = new Failover({ providers: [], clock, random: () => 0 });
    const hub = new WatchHub({ source: failover, clock, random: () => 0 });
    hub.start();
    await clock.settle();
    expect(hub.state).toMatchObject({ status: "unavailable", statusReason: "no provider is enabled" });
    const late = new MemoryProvider({ id: "late", clock });
    late.hang();
    failover.reconfigure([late]);
    await clock.settle();
    expect(hub.state).toMatchObject({
      status: "starting",
      statusReason: "nothing has arrived yet: late is connecting",
    });
    await hub[Symbol.asyncDispose]();
  });

  test("a listener may drain, end and dispose from within: each event reaches all in order", async () => {
    const { clock, primary, hub } = await setUp();
    hub.onEvent((event) => {
      if (event.kind !== "snapshot") return;
      hub.block("a");
      hub.drain("enough");
      void hub[Symbol.asyncDispose]();
    });
    const seen: string[] = [];
    hub.onEvent((event) => seen.push(event.kind === "status_changed" ? event.to : event.kind));
    primary.apply({ upsert: [node("c")] });
    await clock.settle();
    expect(seen).toEqual(["snapshot", "snapshot", "draining", "stopped"]);
    expect(clock.pendingTimers).toBe(0);
  });

  test.each([
    ["", ["a", "b"]],
    [", also when what is held lacks the node", ["b"]],
  ])("blocking a node again takes its restoration back%s", async (_, held) => {
    // R4.4
    const { clock, primary, backup, hub } = await setUp();
    backup.hang();
    await clock.advance(20_000);
    hub.block("a");
    primary.set(
      held.map((id) => node(id)),
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

// R2.3 R3.1: for any run of content, blocks and failures.
test("the log replays to the state: every delta, applied in order, gives the newest snapshot", async () => {
  const step = fc.oneof(
    fc.record({ what: fc.constant("set" as const), ids: fc.subarray(["a", "b", "c", "d", "e"]) }),
    fc.record({
      what: fc.constantFrom("block" as const, "restore" as const),
      id: fc.constantFrom("a", "b", "c"),
    }),
    fc.record({ what: fc.constantFrom("end" as const, "heartbeat" as const, "wait" as const) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { clock, primary, hub, events } = await setUp();
      for (const s of steps) {
        if (s.what === "set") primary.set(s.ids.map((id) => node(id)));
        else if (s.what === "block") hub.block(s.id);
        else if (s.what === "restore") hub.restore(s.id);
        else if (s.what === "end") primary.end();
        else if (s.what === "heartbeat") primary.heartbeat();
        else await clock.advance(12_000);
        await clock.settle();
      }
      let members = MemberSet.empty;
      const blocked = new Set<string>();
      let hash: string | undefined;
      events.forEach((event, i) => {
        expect(event.seqNo).toBe(i + 1);
        if (event.kind !== "snapshot") return;
        expect(event.previousHash).toBe(hash);
        expect(event.snapshot.hash).not.toBe(hash);
        hash = event.snapshot.hash;
        const { added, updated, removed } = event.delta;
        members = members.apply({
          upsert: [...added, ...updated.map(({ after }) => after)],
          remove: removed.map(({ id }) => id),
        });
        for (const id of event.delta.blocked) blocked.add(id);
        for (const id of event.delta.unblocked) blocked.delete(id);
        expect(members.sum).toEqual(event.snapshot.members.sum);
        expect([...blocked].sort()).toEqual(event.snapshot.blockedNodes);
      });
      expect(hub.state.snapshot?.hash).toBe(hash);
      await hub[Symbol.asyncDispose]();
      expect(clock.pendingTimers).toBe(0);
    }),
    { numRuns: 100 },
  );
});

const unavailable = (status: number) =>
  new ProvisioningError("CONNECTIVITY_UNAVAILABLE", `10.0.0.1:8500 answered ${status}`, {
    details: { address: "10.0.0.1:8500", status },
  });
const reasonOf = (status: number) => ({
  code: "CONNECTIVITY_UNAVAILABLE",
  message: `10.0.0.1:8500 answered ${status}`,
  details: { address: "10.0.0.1:8500", status },
});

function setUpPair() {
  const clock = new VirtualClock();
  const primary = new MemoryProvider({ id: "primary", priority: 2, clock, members: [node("a")] });
  const backup = new MemoryProvider({ id: "backup", priority: 1, clock, members: [node("a")] });
  const source = new Failover({ providers: [primary, backup], clock, random: () => 0.5 });
  const hub = new WatchHub({ source, clock, random: () => 0 });
  const events: TopologyEvent[] = [];
  hub.onEvent((event) => events.push(event));
  return { clock, primary, backup, hub, events };
}

describe("the reason", () => {
  // R5.5
  test("of a failure is in every event, in the state and in the termination that is kept", async () => {
    const { clock, primary, backup, hub, events } = setUpPair();
    hub.start();
    await clock.settle();
    backup.refuse(unavailable(502));
    backup.fail(unavailable(502));
    primary.refuse(unavailable(503));
    primary.fail(unavailable(503));
    await clock.advance(60_000);
    const of = (kind: string) => events.filter((event) => event.kind === kind);
    expect(of("health_changed")).toContainEqual(
      expect.objectContaining({ providerId: "primary", to: "unreachable", reason: reasonOf(503) }),
    );
    expect(of("stream_terminated")).toContainEqual(
      expect.objectContaining({ providerId: "primary", reason: { kind: "errored", ...reasonOf(503) } }),
    );
    expect(of("status_changed")).toContainEqual(
      expect.objectContaining({ to: "unavailable", cause: reasonOf(503) }),
    );
    expect(hub.terminations()).toMatchObject([{ reason: reasonOf(502) }, { reason: reasonOf(503) }]);
    expect(hub.state.statusReason).toContain("10.0.0.1:8500 answered 503");
    expect(hub.state.statusCause).toEqual(reasonOf(503));
    await hub[Symbol.asyncDispose]();
  });

  // R5.5
  test("of a switch is the failure of the provider that was left", async () => {
    const { clock, primary, hub, events } = setUpPair();
    hub.start();
    await clock.settle();
    for (let i = 0; i < 3; i++) {
      primary.refuse(unavailable(503));
      primary.fail(unavailable(503));
      await clock.advance(5_000);
    }
    expect(events.find(({ kind }) => kind === "provider_changed")).toMatchObject({
      reason: "errors",
      cause: reasonOf(503),
    });
    await hub[Symbol.asyncDispose]();
  });

  // R5.5
  test("of the status follows its cause without further events", async () => {
    const clock = new VirtualClock();
    const primary = new MemoryProvider({ id: "primary", clock, members: [node("a")] });
    const health = { maxErrors: 10, timeoutMs: 600_000 };
    const source = new Failover({ providers: [primary], clock, random: () => 0.5, health });
    const hub = new WatchHub({ source, clock, random: () => 0 });
    const events: TopologyEvent[] = [];
    hub.onEvent((event) => events.push(event));
    primary.refuse(unavailable(501));
    hub.start();
    await clock.settle();
    expect(hub.state).toMatchObject({ status: "starting", statusCause: reasonOf(501) });
    expect(hub.state.statusReason).toBe(
      "nothing has arrived yet: primary is degraded (CONNECTIVITY_UNAVAILABLE): 10.0.0.1:8500 answered 501",
    );
    primary.recover();
    await clock.advance(20_000);
    expect(hub.state).toMatchObject({ status: "ready", statusCause: undefined });
    primary.refuse(unavailable(502));
    primary.fail(unavailable(503));
    await clock.settle();
    expect(hub.state).toMatchObject({ status: "degraded", statusCause: reasonOf(503) });
    const { seqNo } = hub.state;
    await clock.advance(20_000);
    expect(hub.state).toMatchObject({ seqNo, status: "degraded", statusCause: reasonOf(502) });
    await hub[Symbol.asyncDispose]();
  });
});

test("keeps the last termination of at most 1,000 providers, and drops the oldest", async () => {
  const source = new ScriptedUpdates();
  const { hub } = await setUp({ source });
  const reason = { kind: "ended" } as const;
  for (let i = 0; i < 1_200; i++) source.send({ ended: { providerId: `p-${i}`, reason, snapshotHash: "0" } });
  const kept = hub.terminations().map(({ providerId }) => providerId);
  expect(kept).toHaveLength(1_000);
  expect(kept[0]).toBe("p-200");
  expect(kept.at(-1)).toBe("p-1199");
  await hub[Symbol.asyncDispose]();
});
