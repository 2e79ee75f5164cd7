import { subscribe, unsubscribe } from "node:diagnostics_channel";
import {
  createSnapshot,
  MemberSet,
  ProvisioningError,
  type ClusterProvider,
  type TopologyEvent,
  type Update,
  type UpdateSource,
  untilAborted,
} from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { MemoryProvider } from "@holdfast/provider-memory";
import { ScriptedUpdates, VirtualClock } from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { createRunningHub, node, sourceOf } from "../test/create-running-hub.ts";
import { WatchHub } from "./watch-hub.ts";

describe("the end of a hub", () => {
  test("a drain rejects later snapshots and keeps the last one for consumers that finish their work", async () => {
    // R3.5
    const { clock, primary, hub, takeEvents } = await createRunningHub();
    const { hash } = hub.state.snapshot!;
    takeEvents();
    hub.drain("shutting down for the test");
    primary.apply({ upsert: [node("z")] });
    await clock.settle();
    expect(takeEvents()).toEqual(["draining"]);
    expect(hub.state).toMatchObject({ status: "draining", statusReason: "shutting down for the test" });
    expect(hub.state.snapshot!.hash).toBe(hash);
    expect(() => hub.newest()).toThrow(/LIFECYCLE_SHUTTING_DOWN/);
    expect(hub.block("a")).toBe(false);
    await hub[Symbol.asyncDispose]();
    await hub[Symbol.asyncDispose]();
    expect(takeEvents()).toEqual(["stopped"]);
    expect(clock.pendingTimers).toBe(0);
    expect(primary.watches).toBe(0);
    expect(() => hub.start()).toThrow(/LIFECYCLE_STOPPED/);
  });

  test.each([
    ["ends", undefined, "the source of updates has ended"],
    ["fails", new ProvisioningError("STREAM_FAILED", "broken"), "broken"],
    ["fails with any value", "a string", "the source of updates failed"],
  ])(
    "a source that %s without an abort makes the topology unavailable, with the reason",
    async (_, failure, reason) => {
      const source = new ScriptedUpdates();
      const { clock, hub, errors } = await createRunningHub({ source });
      const members = MemberSet.from([node("a")]);
      source.send({ snapshot: createSnapshot({ providerId: "p", members, observedAt: 0 }) });
      if (failure === undefined) source.end();
      else source.fail(failure);
      await clock.settle();
      expect(hub.state).toMatchObject({ status: "unavailable", isStale: true });
      expect(hub.state.statusReason).toContain(reason);
      expect(errors).toHaveLength(failure === undefined ? 0 : 1);
      await hub[Symbol.asyncDispose]();
    },
  );
});

/** A provider whose watch ignores its signal. */
const createUnstoppable = (clock: VirtualClock): ClusterProvider => {
  const memory = new MemoryProvider({ id: "unstoppable", clock, members: [node("a")] });
  memory.watch = async function* () {
    yield* MemoryProvider.prototype.watch.call(memory, { signal: new AbortController().signal });
  };
  return memory;
};

const FIRST_UPDATE: Update = {
  snapshot: undefined,
  isFresh: false,
  availability: "degraded",
  reason: "p is connecting",
  health: [{ providerId: "p", from: "idle", to: "connecting" }],
  holds: [],
};

describe("faulty sources and listeners", () => {
  test("a watch that ignores its signal does not delay the disposal, and its later events are ignored", async () => {
    // R3.5
    const clock = new VirtualClock();
    const provider = createUnstoppable(clock);
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
  ])("an `onError` that %s affects neither other listeners nor the hub", async (_, onError) => {
    const { clock, primary, hub, takeEvents } = await createRunningHub({ onError });
    hub.onEvent(() => {
      throw new Error("listener");
    });
    hub.onEvent(() => Promise.reject(new Error("listener")));
    takeEvents();
    const seen: number[] = [];
    hub.onEvent(({ seqNo }) => seen.push(seqNo));
    primary.apply({ upsert: [node("c")] });
    await clock.settle();
    primary.apply({ upsert: [node("d")] });
    await clock.settle();
    expect(takeEvents()).toEqual(["a,b,c", "a,b,c,d"]);
    expect(seen).toHaveLength(2);
  });

  test("a snapshot that arrives while the hub drains is rejected, with the reason", async () => {
    // R3.5 R5.5
    const source = new ScriptedUpdates();
    const { hub, errors } = await createRunningHub({ source });
    const snapshot = createSnapshot({ providerId: "p", members: MemberSet.empty, observedAt: 0 });
    hub.drain("shutting down");
    source.send({ snapshot });
    source.send({ snapshot, isFresh: true });
    expect(hub.state).toMatchObject({ status: "draining", snapshot: undefined });
    expect(errors).toMatchObject([
      { code: "LIFECYCLE_SHUTTING_DOWN", details: { providerId: "p", reason: "shutting down" } },
    ]);
    await hub[Symbol.asyncDispose]();
  });

  test("an update that a listener causes is announced after the current one is complete", async () => {
    // R3.1 R3.4
    const source = new ScriptedUpdates();
    const { hub, events } = await createRunningHub({ source });
    const members = MemberSet.from([node("a")]);
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

  test("a drain by a listener rejects the rest of the update", async () => {
    // R3.5
    const source = new ScriptedUpdates();
    const { hub, events, errors } = await createRunningHub({ source });
    hub.onEvent(({ kind }) => {
      if (kind === "health_changed") hub.drain("enough");
    });
    const snapshot = createSnapshot({ providerId: "p", members: MemberSet.empty, observedAt: 0 });
    source.send({ snapshot, health: [{ providerId: "p", from: "idle", to: "healthy" }] });
    expect(events.map(({ kind }) => kind)).toEqual(["health_changed", "status_changed"]);
    expect(errors).toMatchObject([{ code: "LIFECYCLE_SHUTTING_DOWN" }]);
    await hub[Symbol.asyncDispose]();
  });

  test("the reason follows the state of the first provider after a start without one", async () => {
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
      statusReason: "no snapshot has been received yet: late is connecting",
    });
    await hub[Symbol.asyncDispose]();
  });

  test("a listener may block, drain and dispose the hub: all events still reach all listeners in order", async () => {
    const { clock, primary, hub } = await createRunningHub();
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

  test("a listener may start the hub again during its start: the source runs once", async () => {
    let runs = 0;
    const source: UpdateSource = {
      async run({ signal, onUpdate }) {
        runs++;
        onUpdate(FIRST_UPDATE);
        await untilAborted(new Promise(() => undefined), signal).catch(() => undefined);
      },
    };
    const hub = new WatchHub({ source, clock: new VirtualClock(), random: () => 0 });
    hub.onEvent(({ kind }) => {
      if (kind === "health_changed" && runs < 3) hub.start();
    });
    hub.start();
    expect(runs).toBe(1);
    await hub[Symbol.asyncDispose]();
  });

  test("a disposal by a listener during the start waits for the source to end", async () => {
    const steps: string[] = [];
    const source: UpdateSource = {
      async run({ signal, onUpdate }) {
        onUpdate(FIRST_UPDATE);
        await Promise.resolve();
        await Promise.resolve();
        await Promise.resolve();
        steps.push(signal.aborted ? "source ended by the signal" : "source ended");
      },
    };
    const hub = new WatchHub({ source, clock: new VirtualClock(), random: () => 0 });
    const disposal = Promise.withResolvers<void>();
    hub.onEvent(({ kind }) => {
      if (kind === "health_changed") disposal.resolve(hub[Symbol.asyncDispose]());
    });
    hub.start();
    await disposal.promise;
    steps.push("disposed");
    expect(steps).toEqual(["source ended by the signal", "disposed"]);
  });

  test("a subscriber of the diagnostics channel may call the hub: listeners receive the events in order", async () => {
    const { clock, primary, hub } = await createRunningHub();
    const seen: number[] = [];
    hub.onEvent(({ seqNo }) => seen.push(seqNo));
    const published: number[] = [];
    const onMessage = (message: unknown) => {
      const { event } = message as { readonly event: TopologyEvent };
      published.push(event.seqNo);
      if (event.kind === "snapshot") hub.block("a");
    };
    subscribe("holdfast:event", onMessage);
    try {
      primary.apply({ upsert: [node("c")] });
      await clock.settle();
    } finally {
      unsubscribe("holdfast:event", onMessage);
    }
    expect(seen).toHaveLength(2);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(published).toEqual(seen);
    await hub[Symbol.asyncDispose]();
  });
});
