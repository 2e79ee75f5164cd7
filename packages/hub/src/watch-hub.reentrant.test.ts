import {
  type GuardHold,
  type NodeId,
  type ProviderId,
  type TopologyEvent,
  type TopologyState,
} from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { MemoryProvider } from "@holdfast/provider-memory";
import { createSeededRandom, fuzzRuns, VirtualClock } from "@holdfast/testing";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { node } from "../test/create-running-hub.ts";
import { WatchHub } from "./watch-hub.ts";

const IDS = ["p", "q", "r"] as const;
const NODES = ["a", "b", "c", "d"] as const;

const providerId = fc.constantFrom(...IDS);
const nodeId = fc.constantFrom(...NODES);

/** What a listener does while it receives an event. */
const reaction = fc.oneof(
  fc.record({ type: fc.constant("override" as const), id: fc.option(providerId, { nil: undefined }) }),
  fc.record({ type: fc.constant("reconfigure" as const), ids: fc.uniqueArray(providerId) }),
  fc.record({ type: fc.constant("block" as const), id: nodeId }),
  fc.record({ type: fc.constant("restore" as const), id: nodeId }),
  fc.constant({ type: "acceptRemovals" as const }),
  fc.constant({ type: "throw" as const }),
);
const ending = fc.constantFrom("drain" as const, "dispose" as const);

const action = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("set" as const),
      id: providerId,
      nodes: fc.uniqueArray(nodeId),
    }),
  },
  fc.record({
    type: fc.constantFrom("fail" as const, "end" as const, "hang" as const, "recover" as const),
    id: providerId,
  }),
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("wait" as const),
      ms: fc.constantFrom(0, 1_000, 12_000, 40_000),
    }),
  },
);

type Reaction = typeof reaction extends fc.Arbitrary<infer T> ? T : never;
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** What the events so far lead to. */
class Replay {
  seqNo = 0;
  status = "starting";
  isStale = false;
  hash: string | undefined;
  members: ReadonlySet<NodeId> = new Set();
  holds: readonly GuardHold[] = [];
  providerId: ProviderId | undefined;

  add(event: TopologyEvent): void {
    expect(event.seqNo).toBe(this.seqNo + 1);
    this.seqNo = event.seqNo;
    switch (event.kind) {
      case "snapshot": {
        expect(event.previousHash).toBe(this.hash);
        this.hash = event.snapshot.hash;
        const { added, removed } = event.delta;
        const members = new Set(this.members);
        for (const { id } of added) members.add(id);
        for (const { id } of removed) members.delete(id);
        this.members = members;
        expect([...members].sort()).toEqual([...event.snapshot.members].map(({ id }) => id));
        // A block after a switch and before the content of the new provider changes the content of the previous one.
        const { updated } = event.delta;
        const isOnlyBlocks = added.length + updated.length + removed.length === 0;
        if (isOnlyBlocks && this.providerId !== undefined) break;
        if (this.providerId !== undefined) expect(event.snapshot.providerId).toBe(this.providerId);
        this.providerId = event.snapshot.providerId;
        break;
      }
      case "provider_changed":
        if (this.providerId !== undefined) expect(event.from).toBe(this.providerId);
        expect(event.snapshotHash).toBe(this.hash);
        this.providerId = event.to;
        break;
      case "status_changed":
        expect(event.from).toBe(this.status);
        expect(event.snapshotHash).toBe(this.hash);
        this.status = event.to;
        this.isStale = event.isStale;
        break;
      case "guard_changed": {
        const { guard, providerId: id } = event;
        const others = this.holds.filter((hold) => hold.guard !== guard || hold.providerId !== id);
        if (!event.isHolding) expect(others).toHaveLength(this.holds.length - 1);
        this.holds = event.isHolding ? [...others, event] : others;
        break;
      }
      default:
    }
  }

  /** The state must be what the events up to its `seqNo` say. */
  check(state: TopologyState): void {
    expect(state.seqNo).toBe(this.seqNo);
    expect(state.snapshot?.hash).toBe(this.hash);
    expect(state.holds.map(keyOf).sort()).toEqual(this.holds.map(keyOf).sort());
  }

  checkStatus(state: TopologyState): void {
    expect({ status: state.status, isStale: state.isStale }).toEqual({
      status: this.status,
      isStale: this.hash === undefined ? false : this.isStale,
    });
  }
}

const keyOf = ({ guard, providerId: id, nodes }: Pick<GuardHold, "guard" | "providerId" | "nodes">) =>
  `${guard} ${id} ${nodes}`;

// R3.1 R3.4 R3.5
test("whatever a listener calls during an event, all listeners receive one consistent log", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.nat({ max: 30 }), reaction), { maxLength: 10 }),
      fc.option(fc.tuple(fc.nat({ max: 30 }), ending), { nil: undefined }),
      async (actions, reactions, end) => {
        const clock = new VirtualClock();
        const providers = IDS.map(
          (id, index) =>
            new MemoryProvider({
              id,
              priority: IDS.length - index,
              clock,
              members: NODES.map((each) => node(each)),
            }),
        );
        const of = (id: ProviderId) => providers.find(({ descriptor }) => descriptor.id === id)!;
        const failover = new Failover({
          providers,
          clock,
          random: createSeededRandom(1),
          guards: { removalDwellMs: 20_000 },
        });
        const hub = new WatchHub({ source: failover, clock, random: () => 0, onError: () => undefined });
        const react = (step: Reaction): void => {
          if (step.type === "override") {
            if (step.id === undefined || failover.health().some((each) => each.providerId === step.id))
              failover.override(step.id);
          } else if (step.type === "reconfigure") failover.reconfigure(step.ids.map(of));
          else if (step.type === "block") hub.block(step.id);
          else if (step.type === "restore") hub.restore(step.id);
          else if (step.type === "acceptRemovals") failover.acceptRemovals();
          else throw new Error("a faulty listener");
        };
        let disposal: Promise<void> | undefined;
        hub.onEvent(({ seqNo }) => {
          if (seqNo === end?.[0] && end[1] === "drain") hub.drain("enough");
          if (seqNo === end?.[0] && end[1] === "dispose") disposal = hub[Symbol.asyncDispose]();
          for (const [at, step] of reactions) if (at === seqNo) react(step);
        });
        const replay = new Replay();
        const failures: unknown[] = [];
        hub.onEvent((event) => {
          try {
            replay.add(event);
            if (hub.state.seqNo === event.seqNo) replay.check(hub.state);
          } catch (error) {
            failures.push(error);
          }
        });
        hub.start();
        for (const step of actions) {
          await run(step, of, clock);
          if (failures.length > 0) throw failures[0];
          replay.check(hub.state);
          replay.checkStatus(hub.state);
        }
        await clock.until(hub[Symbol.asyncDispose](), 60_000);
        await disposal;
        if (failures.length > 0) throw failures[0];
        replay.check(hub.state);
        expect(hub.state.status).toBe("stopped");
        expect(clock.pendingTimers).toBe(0);
        expect(providers.map(({ watches }) => watches)).toEqual(IDS.map(() => 0));
      },
    ),
    { numRuns: fuzzRuns(150) },
  );
});

async function run(step: Action, of: (id: ProviderId) => MemoryProvider, clock: VirtualClock): Promise<void> {
  if (step.type === "set") of(step.id).set(step.nodes.map((each) => node(each)));
  else if (step.type === "wait") await clock.advance(step.ms);
  else of(step.id)[step.type]();
  await clock.settle();
}
