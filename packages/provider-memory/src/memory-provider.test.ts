import { VirtualClock } from "@holdfast/testing";
import {
  createClusterNode,
  MemberSet,
  ProvisioningError,
  type ClusterNodeInput,
  type SourceEvent,
  type ProviderSnapshot,
} from "@holdfast/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MemoryProvider, type MemoryProviderOptions } from "./memory-provider.ts";

function node(id: string, change: Partial<ClusterNodeInput> = {}): ClusterNodeInput {
  return { id, host: "10.0.0.1", port: 7_000, ...change };
}

function setUp(options: Partial<MemoryProviderOptions> = {}) {
  const clock = new VirtualClock();
  return { clock, provider: new MemoryProvider({ id: "memory", clock, ...options }) };
}

/** Records the events of a watch, followed by its error, if any. */
function record(provider: MemoryProvider, signal: AbortSignal = new AbortController().signal): unknown[] {
  const recorded: unknown[] = [];
  const read = async () => {
    for await (const event of provider.watch({ signal })) recorded.push(event);
    recorded.push("end");
  };
  read().catch((error: unknown) => recorded.push(error instanceof ProvisioningError ? error.code : error));
  return recorded;
}

function snapshotsOf(recorded: readonly unknown[]): readonly ProviderSnapshot[] {
  return (recorded as readonly SourceEvent[]).flatMap((event) =>
    event.type === "snapshot" ? [event.snapshot] : [],
  );
}

const idsOf = ({ members }: ProviderSnapshot) => Array.from(members, ({ id }) => id);

describe("MemoryProvider", () => {
  test("has a descriptor with its id, priority and initial members", () => {
    const members = [node("a")];
    const { provider } = setUp({ id: "primary", priority: 7, members });
    expect(provider.descriptor).toEqual({ id: "primary", kind: "memory", priority: 7, params: { members } });
    expect(setUp().provider.descriptor).toEqual({ id: "memory", kind: "memory", priority: 0, params: {} });
  });

  test("publishes the given members with the next revision each time, also when nothing changed", async () => {
    const { clock, provider } = setUp({ members: [node("b"), node("a")] });
    const recorded = record(provider);
    await clock.settle();
    provider.set([node("c"), node("a")]);
    provider.set([node("a"), node("c")]);
    await clock.settle();
    const snapshots = snapshotsOf(recorded);
    expect(snapshots.map(idsOf)).toEqual([
      ["a", "b"],
      ["a", "c"],
      ["a", "c"],
    ]);
    expect(snapshots.map(({ revision }) => revision)).toEqual(["1", "2", "3"]);
    expect(snapshots[2]!.hash).toBe(snapshots[1]!.hash);
    expect(provider.revision).toBe("3");
  });

  test("apply adds and removes nodes, and keeps the others unchanged", async () => {
    const { clock, provider } = setUp({ members: [node("a"), node("b"), node("c")] });
    const before = provider.members;
    const recorded = record(provider);
    await clock.settle();
    provider.apply({ upsert: [node("d"), node("b", { port: 1 })], remove: ["c", "unknown"] });
    provider.apply({});
    await clock.settle();
    const [, changed, same] = snapshotsOf(recorded);
    expect(idsOf(changed!)).toEqual(["a", "b", "d"]);
    expect(changed!.members.get("a")).toBe(before.get("a"));
    expect(changed!.members.get("b")?.port).toBe(1);
    expect(same!.members).toBe(changed!.members);
  });

  test("refuses members with the same id and keeps the previous ones", () => {
    const { provider } = setUp({ members: [node("a")] });
    expect(() => provider.set([node("b"), node("b")])).toThrow("[VALIDATION_DUPLICATE_ID]");
    expect([provider.members.size, provider.revision]).toEqual([1, "1"]);
    expect(() => setUp({ members: [node("b"), node("b")] })).toThrow("[VALIDATION_DUPLICATE_ID]");
  });

  test("sets the given details of a snapshot, and a new observedAt for a new watch", async () => {
    const { clock, provider } = setUp();
    const recorded = record(provider);
    await clock.advance(100);
    const skipped = { count: 1, reasons: ["no port"] };
    provider.set([node("a")], { observedAt: 5, stalenessMs: 9, skipped });
    await clock.settle();
    expect(snapshotsOf(recorded)[1]).toMatchObject({ observedAt: 5, stalenessMs: 9, skipped });
    const later = record(provider);
    await clock.settle();
    expect(snapshotsOf(later)[0]).toMatchObject({ observedAt: clock.now(), stalenessMs: 9, skipped });
  });

  test("keeps every snapshot for a slow consumer, and drops redundant heartbeats", async () => {
    const { clock, provider } = setUp();
    const { signal } = new AbortController();
    const iterator = provider.watch({ signal })[Symbol.asyncIterator]();
    await iterator.next();
    provider.heartbeat();
    provider.heartbeat();
    for (const id of ["a", "b", "c"]) provider.apply({ upsert: [node(id)] });
    provider.heartbeat();
    await clock.advance(60_000);
    provider.end();
    const recorded: SourceEvent[] = [];
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
      recorded.push(next.value);
    expect(recorded.map(({ type }) => type)).toEqual(["snapshot", "snapshot", "snapshot", "ended"]);
    expect(snapshotsOf(recorded).map(idsOf)).toEqual([["a"], ["a", "b"], ["a", "b", "c"]]);
  });

  test("yields a heartbeat on request, and heartbeatMs after the last event", async () => {
    const { clock, provider } = setUp({ heartbeatMs: 1_000 });
    const recorded = record(provider);
    await clock.advance(999);
    expect(recorded.length).toBe(1);
    provider.heartbeat();
    await clock.advance(999);
    expect(recorded.length).toBe(2);
    await clock.advance(1_001);
    expect(recorded.slice(1)).toEqual([{ type: "heartbeat" }, { type: "heartbeat" }, { type: "heartbeat" }]);
  });

  test("ends running watches as a backend does, and new ones start with the current content", async () => {
    const { clock, provider } = setUp({ members: [node("a")] });
    const recorded = record(provider);
    await clock.settle();
    provider.end();
    provider.set([node("b")]);
    await clock.settle();
    expect(recorded.slice(1)).toEqual([{ type: "ended" }, "end"]);
    const next = record(provider);
    await clock.settle();
    expect(snapshotsOf(next).map(idsOf)).toEqual([["b"]]);
    expect([provider.watches, clock.pendingTimers]).toEqual([1, 1]);
  });

  test("fails running watches with the given error, but not new ones", async () => {
    const { clock, provider } = setUp();
    const recorded = record(provider);
    await clock.settle();
    provider.fail(new ProvisioningError("STREAM_EXPIRED", "too old"));
    await clock.settle();
    expect(recorded.slice(1)).toEqual(["STREAM_EXPIRED"]);
    const next = record(provider);
    await clock.settle();
    provider.fail();
    await clock.settle();
    expect([next.length, next[1]]).toEqual([2, "STREAM_FAILED"]);
    expect([provider.watches, clock.pendingTimers]).toEqual([0, 0]);
  });

  test("refuses new watches and probes until it recovers, without affecting running watches", async () => {
    const { clock, provider } = setUp();
    const { signal } = new AbortController();
    const running = record(provider);
    await clock.settle();
    provider.refuse(new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", "no"));
    const refused = record(provider);
    await clock.settle();
    expect(refused).toEqual(["CONNECTIVITY_UNAUTHORIZED"]);
    await expect(provider.probe({ signal })).rejects.toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
    provider.refuse();
    await expect(provider.probe({ signal })).rejects.toMatchObject({ code: "CONNECTIVITY_REFUSED" });
    provider.set([node("a")]);
    await clock.settle();
    expect(running.length).toBe(2);
    provider.recover();
    await provider.probe({ signal });
    expect([running.length, provider.watches]).toEqual([2, 1]);
  });

  test("yields nothing while it hangs, and serves all waiting watches and probes when it recovers", async () => {
    const { clock, provider } = setUp({ heartbeatMs: 1_000 });
    const running = record(provider);
    await clock.settle();
    provider.hang();
    provider.hang();
    const waiting = record(provider);
    const probe = provider.probe({ signal: new AbortController().signal });
    provider.set([node("a")]);
    provider.heartbeat();
    await clock.advance(10_000);
    expect([running.length, waiting.length]).toEqual([1, 0]);
    provider.recover();
    await probe;
    await clock.settle();
    expect([running.slice(1), waiting].map((recorded) => snapshotsOf(recorded).map(idsOf))).toEqual([
      [["a"]],
      [["a"]],
    ]);
    await clock.advance(1_000);
    expect(running.at(-1)).toEqual({ type: "heartbeat" });
    provider.recover();
    await clock.settle();
    expect(running.length).toBe(3);
  });

  test("cannot watch without the capability", async () => {
    const { clock, provider } = setUp({ capabilities: { watch: false } });
    const recorded = record(provider);
    await clock.settle();
    expect(recorded).toEqual(["VALIDATION_MISSING_CAPABILITY"]);
    await provider.probe({ signal: new AbortController().signal });
  });

  test("disposal also ends watches and probes that wait for a hanging backend", async () => {
    const { clock, provider } = setUp();
    provider.hang();
    const recorded = record(provider);
    const probe = provider.probe({ signal: new AbortController().signal });
    await clock.settle();
    await provider[Symbol.asyncDispose]();
    await expect(probe).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    await clock.settle();
    expect(recorded).toEqual(["LIFECYCLE_STOPPED"]);
    expect(clock.pendingTimers).toBe(0);
  });

  test("the last snapshot matches the calls of set and apply, in any sequence", async () => {
    const ids = fc.constantFrom("a", "b", "c", "d", "e", "f");
    const nodes = fc.uniqueArray(fc.record({ id: ids, port: fc.integer({ min: 1, max: 3 }) }), {
      selector: ({ id }) => id,
    });
    const step = fc.oneof(fc.record({ set: nodes }), fc.record({ upsert: nodes, remove: fc.array(ids) }));
    await fc.assert(
      fc.asyncProperty(fc.array(step), async (steps) => {
        const { clock, provider } = setUp();
        const controller = new AbortController();
        const recorded = record(provider, controller.signal);
        let model = new Map<string, ClusterNodeInput>();
        for (const change of steps) {
          const given = ("set" in change ? change.set : change.upsert).map(({ id, port }) =>
            node(id, { port }),
          );
          if ("set" in change) {
            model = new Map();
            provider.set(given);
          } else {
            for (const id of change.remove) model.delete(id);
            provider.apply({ upsert: given, remove: change.remove });
          }
          for (const each of given) model.set(each.id, each);
        }
        await clock.settle();
        controller.abort();
        const snapshots = snapshotsOf(recorded.filter((event) => event !== "end"));
        expect(snapshots.length).toBeGreaterThan(0);
        const expected = MemberSet.from(Iterator.from(model.values()).map(createClusterNode));
        expect(provider.members.toArray()).toEqual(expected.toArray());
        expect(snapshots.at(-1)!.members.sum).toEqual(expected.sum);
      }),
      { numRuns: 50 },
    );
  });
});
