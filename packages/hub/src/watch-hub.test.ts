import { createSnapshot, MemberSet } from "@holdfast/core";
import { MemoryProvider } from "@holdfast/provider-memory";
import { ScriptedUpdates, VirtualClock } from "@holdfast/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRunningHub, node, sourceOf } from "../test/create-running-hub.ts";
import { WatchHub } from "./watch-hub.ts";

describe("the ordered log", () => {
  test("numbers every event 1, 2, 3, ... under one epoch that sorts by time", async () => {
    // R3.1
    const { clock, primary, hub, events } = await createRunningHub();
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

  test("emits the first snapshot, then only snapshots with other content, with the hash of the one before", async () => {
    // R2.3
    const { clock, primary, hub, events } = await createRunningHub();
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

  test("emits a first snapshot without members too", async () => {
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

  test("is empty without members, and ready again with the next member", async () => {
    // R2.4
    const { clock, primary, hub, takeEvents } = await createRunningHub();
    takeEvents();
    primary.set([]);
    await clock.settle();
    expect(takeEvents()).toEqual(["", "empty"]);
    expect(() => hub.newest()).toThrow(/TOPOLOGY_EMPTY/);
    primary.set([node("c")]);
    await clock.settle();
    expect(takeEvents()).toEqual(["c", "ready"]);
  });

  test("emits a change of status when an empty topology is no longer current, and when it is current again", async () => {
    const source = new ScriptedUpdates();
    const { hub, events } = await createRunningHub({ source });
    const snapshot = createSnapshot({ providerId: "p", members: MemberSet.empty, observedAt: 0 });
    source.send({ snapshot });
    events.length = 0;
    source.send({ availability: "degraded", reason: "p fails" });
    expect(hub.state).toMatchObject({ status: "empty", isStale: true });
    source.send({ availability: "degraded", reason: "p fails in another way" });
    source.send({ availability: "available" });
    expect(events).toMatchObject([
      { kind: "status_changed", from: "empty", to: "empty", isStale: true },
      { kind: "status_changed", from: "empty", to: "empty", isStale: false },
    ]);
    await hub[Symbol.asyncDispose]();
  });

  test("is degraded while a guard keeps members that the active provider does not list", async () => {
    // R2.4
    const { clock, primary, backup, hub, takeEvents } = await createRunningHub();
    primary.set([node("a"), node("b"), node("c")]);
    await clock.settle();
    takeEvents();
    primary.end();
    await clock.settle();
    expect(takeEvents().at(-1)).toBe("degraded");
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
    // The active provider lists no member, so placement pauses.
    expect(() => hub.newest()).toThrow(/TOPOLOGY_EMPTY/);
    await clock.advance(10_000);
    expect(hub.state.status).toBe("empty");
  });

  test("lifts no block while a guard keeps members", async () => {
    // R4.4 R2.8
    const { clock, primary, hub } = await createRunningHub();
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

  test("emits a change of status for equal content when a guard begins or ceases to keep all of it", async () => {
    // R2.4 R3.2: a consumer that waits for a usable snapshot must learn of it.
    const members = MemberSet.from([node("a"), node("b")]);
    const snapshotWith = (retained?: readonly string[]) =>
      createSnapshot({ providerId: "p", members, observedAt: 0, retained });
    const source = new ScriptedUpdates();
    const { hub, events } = await createRunningHub({ source });
    source.send({ availability: "degraded", snapshot: snapshotWith() });
    const next = (retained?: readonly string[]) => {
      events.length = 0;
      source.send({ snapshot: snapshotWith(retained) });
      return events.map((event) => event.kind);
    };
    expect(next(["a"]), "one of two").toEqual([]);
    expect(next(["a", "b"]), "all of them").toEqual(["status_changed"]);
    expect(() => hub.newest()).toThrow(/TOPOLOGY_EMPTY/);
    expect(next(["a", "b"]), "still all of them").toEqual([]);
    expect(next(), "none").toEqual(["status_changed"]);
    expect(hub.newest().members.size).toBe(2);
  });

  test("emits only `provider_changed` for a switch to equal content", async () => {
    // R2.3 R3.4
    const { clock, primary, hub, events, takeEvents } = await createRunningHub();
    const { hash } = hub.state.snapshot!;
    takeEvents();
    primary.end();
    await clock.settle();
    const changed = events.find(({ kind }) => kind === "provider_changed");
    expect(changed).toMatchObject({
      from: "primary",
      to: "backup",
      reason: "stream_ended",
      snapshotHash: hash,
    });
    expect(takeEvents()).toEqual(["primary ended", "primary>backup"]);
    expect(hub.state.snapshot!.providerId).toBe("backup");
  });

  test("emits and keeps the end of a stream with the hash of its last snapshot, which stays readable", async () => {
    // R2.2
    const { clock, primary, backup, hub } = await createRunningHub();
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

  test("is unavailable without a reachable provider, and the last snapshot stays readable as stale", async () => {
    // R5.3
    const { clock, primary, backup, hub, takeEvents } = await createRunningHub();
    for (const provider of [primary, backup]) {
      provider.refuse();
      provider.fail();
    }
    await clock.advance(120_000);
    expect(takeEvents().at(-1)).toBe("unavailable");
    expect(hub.state).toMatchObject({ status: "unavailable", isStale: true });
    expect(hub.state.snapshot!.members.size).toBe(2);
    expect(() => hub.newest()).toThrow(/TOPOLOGY_UNAVAILABLE/);
    backup.recover();
    await clock.advance(30_000);
    expect(hub.state).toMatchObject({ status: "ready", isStale: false });
  });

  test("rejects `newest()` before the first snapshot, with the reason", () => {
    // R3.2
    const clock = new VirtualClock();
    const provider = new MemoryProvider({ id: "p", clock });
    const hub = new WatchHub({ source: sourceOf(clock, provider), clock, random: () => 0 });
    expect(() => hub.newest()).toThrow(/TOPOLOGY_NO_SNAPSHOT/);
  });

  test("sets the state before it calls listeners; one that throws or rejects does not affect the others", async () => {
    const { clock, primary, hub, errors } = await createRunningHub();
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

  test("keeps the order of events when a listener calls the hub", async () => {
    const { clock, primary, hub } = await createRunningHub();
    hub.onEvent((event) => event.kind === "snapshot" && hub.block("b"));
    const seen: number[] = [];
    hub.onEvent(({ seqNo }) => seen.push(seqNo));
    primary.apply({ upsert: [node("c")] });
    await clock.settle();
    expect(seen.length).toBe(2);
    expect(seen[1]).toBe(seen[0]! + 1);
  });
});

// R2.3 R3.1: for every sequence of snapshots, blocks and failures.
test("the deltas of the log, applied in order, give the newest snapshot", async () => {
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
      const { clock, primary, hub, events } = await createRunningHub();
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
