import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { createSnapshot, MemberSet, systemClock } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { isEvents, RecordingPorts, toEventNames } from "../test/recording-ports.ts";
import { RemoteReceiver } from "../test/remote-receiver.ts";
import { RemoteEventFilter } from "./remote-event-filter.ts";
import { RemotingBridge, type RemotingBridgeOptions } from "./remoting-bridge.ts";
import { nodes, ScriptedHub } from "../test/scripted-hub.ts";

function setUp(options: Partial<RemotingBridgeOptions> = {}, prepare?: (source: ScriptedHub) => void) {
  const clock = new VirtualClock({ startAt: 1_000 });
  const source = new ScriptedHub(clock);
  prepare?.(source);
  const ports = new RecordingPorts();
  const bridge = new RemotingBridge({
    source,
    blocks: source,
    port: ports.remoting,
    clock,
    random: createSeededRandom(1),
    onError: (error) => void ports.errors.push(error),
    ...options,
  });
  const events = () => ports.acknowledged.flatMap(({ argument }) => (isEvents(argument) ? argument : []));
  /** Brings the bridge to a `ready` topology of these nodes, and clears the recorded calls. */
  const begin = async (...names: readonly string[]) => {
    source.snapshot(nodes(...names));
    source.status("ready");
    await clock.settle();
    ports.started.length = ports.acknowledged.length = 0;
  };
  return { clock, source, ports, bridge, events, begin };
}

describe("a node", () => {
  test("that joins or leaves causes an event with provider, node, seqNo, hash and key", async () => {
    // R4.1
    const { clock, source, events, begin } = setUp();
    await begin("a", "b");
    await clock.advance(500);
    source.snapshot(nodes("b", "c"), "backup");
    await clock.settle();
    const [a] = nodes("a");
    const [c] = nodes("c");
    const common = {
      providerId: "backup",
      epoch: "epoch-1",
      seqNo: 3,
      snapshotHash: source.state.snapshot?.hash,
      at: 1_500,
    };
    expect(events()).toEqual([
      { key: "epoch-1/3/a/leave", kind: "leave", node: a, ...common },
      { key: "epoch-1/3/c/join", kind: "join", node: c, ...common },
    ]);
  });

  test("that moved leaves its old address and joins at the new one", async () => {
    const { clock, source, ports, begin } = setUp();
    await begin("a", "b");
    source.snapshot(nodes("a@2", "b"));
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["leave a@1", "join a@2"]);
  });

  test("that changed in anything but its address causes no event, also not later", async () => {
    const { clock, source, ports, begin } = setUp();
    await begin("a", "b");
    const [a, b] = nodes("a", "b");
    source.snapshot([{ ...a!, tags: ["new"], weight: 3 }, b!]);
    await clock.settle();
    source.snapshot([{ ...a!, tags: ["newer"] }]);
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["leave b@1"]);
  });

  test("that Remoting isolates causes a blocked event, and an unblocked event after the refresh that restores it", async () => {
    // R4.2, R4.4
    const { clock, source, ports, bridge, begin } = setUp();
    await begin("a", "b");
    expect(bridge.block("a")).toBe(true);
    expect(source.state.snapshot?.blockedNodes).toEqual(["a"]);
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["blocked a@1"]);
    expect(bridge.block("a")).toBe(false);
    expect(bridge.restore("a")).toBe(true);
    await clock.settle();
    expect(ports.takeEvents()).toEqual([]);
    source.refresh();
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["unblocked a@1"]);
  });

  test("that is blocked and moves is blocked at its new address too", async () => {
    const { clock, source, ports, bridge, begin } = setUp();
    await begin("a");
    bridge.block("a");
    source.snapshot(nodes("a@2"));
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["leave a@1", "join a@2", "blocked a@2"]);
  });
});

describe("a failover", () => {
  test("to a provider with the same members causes no event", async () => {
    const { clock, source, ports, begin } = setUp();
    await begin("a", "b", "c");
    source.providerChanged("primary", "backup");
    source.snapshot(MemberSet.from(nodes("a", "b", "c")), "backup");
    await clock.settle();
    expect(ports.acknowledged.map(({ name }) => name)).toEqual(["remoting.notify"]);
  });

  test("is notified before the changes of the new provider", async () => {
    const { clock, source, ports, begin } = setUp();
    await begin("a");
    source.providerChanged("primary", "backup");
    source.snapshot(nodes("b"), "backup");
    await clock.settle();
    expect(ports.take()).toEqual(["remoting.notify 3", "remoting.applyEvents 4"]);
  });
});

describe("while the topology is not ready", () => {
  test.each(["degraded", "unavailable", "draining"] as const)(
    "(%s) Remoting is notified, joins wait, and leaves and blocks do not",
    async (status) => {
      // R4.3
      const { clock, source, ports, bridge, begin } = setUp();
      await begin("a", "b");
      const warning = source.status(status);
      source.snapshot(nodes("b", "c"));
      bridge.block("b");
      await clock.settle();
      expect(ports.started[0]?.argument).toBe(warning);
      expect(ports.takeEvents()).toEqual(["leave a@1", "blocked b@1"]);
      source.streamTerminated();
      await clock.advance(60_000);
      expect(ports.takeEvents()).toEqual([]);
    },
  );

  test("the joins that waited are sent once it is ready again, and only those still due", async () => {
    // R4.3
    const { clock, source, ports, begin } = setUp();
    await begin("a");
    source.status("degraded");
    source.snapshot(nodes("a", "b", "c", "d"));
    await clock.settle();
    source.snapshot(nodes("a", "c@2", "d"));
    await clock.settle();
    expect(ports.takeEvents()).toEqual([]);
    source.status("ready");
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["join c@2", "join d@1"]);
  });

  test("a node that moves leaves at once and joins when it is ready, blocked if it was", async () => {
    // R4.3
    const { clock, source, ports, bridge, begin } = setUp();
    await begin("a", "b");
    bridge.block("a");
    await clock.settle();
    source.status("degraded");
    source.snapshot(nodes("a@2", "b"));
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["blocked a@1", "leave a@1"]);
    source.status("ready");
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["join a@2", "blocked a@2"]);
  });

  test("a failed batch with joins is not sent again until it is ready", async () => {
    // R4.3
    const { clock, source, ports, begin } = setUp();
    await begin("a");
    ports.behave = ({ name }) => {
      if (name === "remoting.applyEvents") throw new Error("busy");
    };
    source.snapshot(nodes("b"));
    await clock.settle();
    source.status("degraded");
    const failed = ports.started.length;
    ports.behave = () => undefined;
    await clock.advance(60_000);
    const sent = ports.started.slice(failed).flatMap(({ argument }) => toEventNames(argument));
    expect(sent).toEqual(["leave a@1"]);
    source.status("ready");
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["leave a@1", "join b@1"]);
  });

  test("the join of a member that is only retained by a guard is held back until the active provider lists it", async () => {
    // R4.3
    const { clock, source, ports, begin } = setUp();
    await begin("a");
    const retaining = { observedAt: 0, providerId: "backup", members: MemberSet.from(nodes("a", "b", "c")) };
    const hold = {
      guard: "removal_dwell",
      providerId: "backup",
      nodes: 2,
      until: 9_000,
      reason: "scripted",
    } as const;
    source.append({ kind: "guard_changed", isHolding: true, ...hold });
    source.publish({ ...retaining, retained: ["a", "b"] });
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["join c@1"]);
    // The content is the same, so no snapshot event wakes the bridge.
    source.set({ snapshot: createSnapshot(retaining) });
    source.append({ kind: "guard_changed", isHolding: false, ...hold });
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["join b@1"]);
  });

  test("the rest of a large batch of joins is held back from the moment it turns degraded", async () => {
    // R4.3
    const { clock, source, ports } = setUp({ batchSize: 2 });
    source.status("ready");
    ports.behave = ({ name, seqNo }) => {
      if (name === "remoting.applyEvents" && seqNo === 2) source.status("degraded");
    };
    source.snapshot(nodes("a", "b", "c", "d"));
    await clock.settle();
    expect(ports.take()).toEqual(["remoting.notify 1", "remoting.applyEvents 2", "remoting.notify 3"]);
    source.status("ready");
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["join c@1", "join d@1"]);
  });
});

describe("delivery", () => {
  test("is in batches, and a failed batch is sent again with the same keys", async () => {
    // R4.1
    const { clock, source, ports } = setUp({ batchSize: 2 });
    source.status("ready");
    source.snapshot(nodes("a", "b", "c", "d", "e"));
    let failures = 2;
    ports.behave = ({ name, argument }) => {
      if (name === "remoting.applyEvents" && toEventNames(argument).includes("join c@1") && failures-- > 0) {
        throw new Error("busy");
      }
    };
    await clock.advance(60_000);
    const sent = ports.started.map(({ argument }) => toEventNames(argument).join());
    const again = "join c@1,join d@1";
    expect(sent).toEqual(["", "join a@1,join b@1", again, again, again, "join e@1"]);
    const tries = ports.started.slice(2, 5).map(({ argument }) => argument);
    expect(tries[1]).toEqual(tries[0]);
    expect(tries[2]).toEqual(tries[0]);
    expect(ports.errors.map(({ code, details }) => [code, details["attempt"]])).toEqual([
      ["LIFECYCLE_CONSUMER_FAILED", 1],
      ["LIFECYCLE_CONSUMER_FAILED", 2],
    ]);
  });

  test("of very many events yields to the event loop between two batches", async () => {
    let turns = 0;
    const { source, ports, bridge } = setUp({
      clock: { ...systemClock, yield: () => Promise.resolve(void turns++) },
    });
    source.status("ready");
    source.snapshot(nodes(...Array.from({ length: 3_500 }, (_, i) => `node-${i}`)));
    expect(await bridge.drain({ signal: new AbortController().signal })).toEqual({ unfinished: [] });
    const sizes = ports.started.slice(1).map(({ argument }) => toEventNames(argument).length);
    expect([sizes, turns]).toEqual([[1_000, 1_000, 1_000, 500], 3]);
  });

  test("to a slow port skips nodes that joined and left in the meantime", async () => {
    const { clock, source, ports, begin } = setUp();
    await begin("a");
    const slow = Promise.withResolvers<void>();
    ports.behave = ({ seqNo }) => (seqNo === 3 ? slow.promise : undefined);
    source.snapshot(nodes("a", "b"));
    await clock.settle();
    source.snapshot(nodes("a", "b", "c"));
    source.snapshot(nodes("a", "b", "d"));
    source.snapshot(nodes("b", "d"));
    slow.resolve();
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["join b@1", "leave a@1", "join d@1"]);
  });

  test("of a batch that may have arrived is corrected when the topology has changed since", async () => {
    // R4.1
    const { clock, source, ports, begin } = setUp();
    await begin("a", "b");
    ports.behave = ({ name }) => {
      if (name === "remoting.applyEvents") throw new Error("the answer was lost");
    };
    source.snapshot(nodes("a@2", "c"));
    await clock.settle();
    ports.behave = () => undefined;
    source.snapshot(nodes("a", "b"));
    await clock.advance(60_000);
    expect(ports.takeEvents()).toEqual(["leave a@2", "join a@1", "join b@1", "leave c@1"]);
  });

  test("stops sending events that a newer snapshot has made obsolete, and continues from there", async () => {
    const { clock, source, ports } = setUp({ batchSize: 2 });
    source.status("ready");
    ports.behave = ({ name, seqNo }) => {
      if (name === "remoting.applyEvents" && seqNo === 2) source.snapshot(nodes("b", "c", "e"));
    };
    source.snapshot(nodes("a", "b", "c", "d"));
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["join a@1", "join b@1", "leave a@1", "join c@1", "join e@1"]);
  });

  test("that stops midway remembers the blocks that it sent, and those it lifted", async () => {
    const { clock, source, ports, bridge, begin } = setUp({ batchSize: 1 });
    await begin("a", "b");
    bridge.block("a");
    await clock.settle();
    ports.behave = ({ argument }) => {
      if (toEventNames(argument).includes("unblocked a@1")) bridge.block("a");
      if (toEventNames(argument).includes("blocked b@1")) source.snapshot(nodes("a", "b", "c"));
    };
    source.restore("a");
    source.refresh();
    source.snapshot(nodes("a", "b", "d"));
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["blocked a@1", "unblocked a@1", "blocked a@1", "join d@1"]);
    bridge.block("b");
    source.snapshot(nodes("a", "b", "c", "d"));
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["blocked b@1", "join c@1", "leave d@1"]);
  });

  test("after a restart uses other keys", async () => {
    // R4.1
    const first = setUp();
    const second = setUp({}, (source) => {
      source.state = { ...source.state, epoch: "epoch-2" };
    });
    for (const { source, clock } of [first, second]) {
      source.status("ready");
      source.snapshot(nodes("a"));
      await clock.settle();
    }
    expect(first.events()[0]?.key).toBe("epoch-1/2/a/join");
    expect(second.events()[0]?.key).toBe("epoch-2/2/a/join");
  });

  test("through the filter is exactly once, however often the port fails midway", async () => {
    // R4.1
    const { clock, source, ports } = setUp({ batchSize: 3 });
    const receiver = new RemoteReceiver();
    const random = createSeededRandom(7);
    ports.behave = ({ argument }) => {
      if (!isEvents(argument)) return;
      for (const event of argument) {
        if (random() < 0.3) throw new Error("half-way");
        receiver.receive(event);
      }
    };
    source.status("ready");
    source.snapshot(nodes("a", "b", "c", "d", "e", "f", "g"));
    await clock.advance(600_000);
    expect([...receiver.channels.keys()]).toEqual(["a", "b", "c", "d", "e", "f", "g"]);
  });
});

describe("a bridge created late", () => {
  test("sends a join for every member at once, and the status", async () => {
    const { clock, ports } = setUp({}, (source) => {
      source.snapshot(nodes("a", "b"));
      source.status("ready");
      source.block("b");
    });
    await clock.settle();
    expect(ports.acknowledged.map(({ name }) => name)).toEqual(["remoting.applyEvents", "remoting.notify"]);
    expect(ports.takeEvents()).toEqual(["join a@1", "join b@1", "blocked b@1"]);
  });

  test("to a degraded topology shows the warning and holds all joins back", async () => {
    // R4.3
    const { clock, source, ports } = setUp({}, (early) => {
      early.status("degraded");
      early.snapshot(nodes("a"));
    });
    await clock.settle();
    expect(ports.acknowledged.map(({ argument }) => argument)).toMatchObject([
      { kind: "status_changed", to: "degraded", seqNo: 2 },
    ]);
    source.status("ready");
    await clock.settle();
    expect(ports.takeEvents()).toEqual(["join a@1"]);
  });
});

describe("the health of nodes", () => {
  test("is up, down while isolated, degraded while restored or not sent yet, with the time of the last event", async () => {
    // R4.5
    const { clock, source, bridge } = setUp();
    expect([...bridge.nodes()]).toEqual([]);
    source.snapshot(nodes("a", "b"));
    source.status("ready");
    await clock.advance(1_000);
    const states = () => [...bridge.nodes()].map(({ nodeId, state }) => `${nodeId} ${state}`);
    expect([...bridge.nodes()]).toEqual([
      { nodeId: "a", state: "up", lastUpdateAt: 1_000 },
      { nodeId: "b", state: "up", lastUpdateAt: 1_000 },
    ]);
    bridge.block("b");
    expect(states()).toEqual(["a up", "b down"]);
    await clock.advance(1_000);
    bridge.restore("b");
    expect(states()).toEqual(["a up", "b degraded"]);
    source.refresh();
    expect(states()).toEqual(["a up", "b degraded"]);
    await clock.advance(1_000);
    expect([...bridge.nodes()]).toEqual([
      { nodeId: "a", state: "up", lastUpdateAt: 1_000 },
      { nodeId: "b", state: "up", lastUpdateAt: 3_000 },
    ]);
    source.status("degraded");
    source.snapshot(nodes("b", "c"));
    await clock.advance(1_000);
    expect([...bridge.nodes()]).toEqual([
      { nodeId: "b", state: "up", lastUpdateAt: 3_000 },
      { nodeId: "c", state: "degraded", lastUpdateAt: 4_000 },
    ]);
  });

  test("is degraded while it is unknown whether Remoting received the events of the node", async () => {
    // R4.5
    const { clock, source, ports, bridge, begin } = setUp();
    await begin("a");
    ports.behave = ({ name }) => {
      if (name === "remoting.applyEvents") throw new Error("lost");
    };
    source.snapshot(nodes("b"));
    await clock.settle();
    source.status("degraded");
    source.snapshot(nodes("a"));
    await clock.advance(60_000);
    expect([...bridge.nodes()]).toMatchObject([{ nodeId: "a", state: "degraded" }]);
    ports.behave = () => undefined;
    source.status("ready");
    await clock.advance(60_000);
    expect([...bridge.nodes()]).toMatchObject([{ nodeId: "a", state: "up" }]);
  });
});

describe("the end", () => {
  test("a drain delivers the last state and then refuses snapshots", async () => {
    // R3.5
    const { clock, source, ports, bridge } = setUp({ batchSize: 1 });
    source.status("ready");
    source.snapshot(nodes("a", "b", "c"));
    const drained = bridge.drain({ signal: new AbortController().signal });
    source.snapshot(nodes("d"));
    expect(await drained).toEqual({ unfinished: [] });
    expect(ports.takeEvents()).toEqual(["join a@1", "join b@1", "join c@1"]);
    expect(ports.errors.map(({ code }) => code)).toEqual(["LIFECYCLE_SHUTTING_DOWN"]);
    await bridge[Symbol.asyncDispose]();
    expect([clock.pendingTimers, source.listeners.size]).toEqual([0, 0]);
  });

  test("a drain that misses its deadline names what was left", async () => {
    // R3.5
    const { clock, source, ports, bridge, begin } = setUp();
    await begin("a");
    const stuck = Promise.withResolvers<void>();
    ports.behave = () => stuck.promise;
    source.snapshot(nodes("a", "b"));
    await clock.settle();
    source.status("draining");
    const report = await bridge.drain({ signal: AbortSignal.abort() });
    expect(report.unfinished).toEqual([
      "remoting: tick 3 (in remoting.applyEvents)",
      "remoting: status_changed of tick 4",
    ]);
    stuck.reject(new Error("too late"));
    await clock.advance(60_000);
    expect([ports.takeEvents(), ports.errors, clock.pendingTimers]).toEqual([[], [], 0]);
  });

  test("disposal ends a long delivery between two batches", async () => {
    const { clock, source, ports, bridge } = setUp({ batchSize: 1 });
    source.status("ready");
    let disposed: Promise<void> | undefined;
    ports.behave = ({ argument }) => {
      if (toEventNames(argument).includes("join b@1")) disposed = bridge[Symbol.asyncDispose]();
    };
    source.snapshot(nodes("a", "b", "c"));
    await clock.settle();
    await disposed;
    expect(ports.started.length).toBe(3);
    expect(ports.errors).toEqual([]);
  });
});

describe("a port that fails for long", () => {
  test("still receives later notices, and receives the events once it works again", async () => {
    // R3.6
    const { clock, source, ports, bridge } = setUp({ calls: { tries: 3 } });
    source.snapshot(nodes("a"));
    source.status("ready");
    await clock.settle();
    ports.take();
    ports.behave = ({ name }) =>
      name === "remoting.applyEvents" ? Promise.reject(new Error("no")) : undefined;
    source.snapshot(nodes("b"));
    await clock.advance(5_000);
    source.status("unavailable");
    source.status("ready");
    await clock.advance(60_000);
    expect(ports.take()).toEqual(["remoting.notify 4", "remoting.notify 5"]);
    expect(bridge.port).toMatchObject({ isBehind: true, seqNo: 1, parked: 0 });
    ports.behave = () => undefined;
    await clock.advance(60_000);
    expect(ports.takeEvents()).toEqual(["leave a@1", "join b@1"]);
    expect(bridge.port).toMatchObject({ isBehind: false, seqNo: 3, waiting: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  test("receives identical events also after all tries of a call were used up", async () => {
    // R4.1: events with the keys of earlier ones are identical to them.
    const { clock, source, ports } = setUp({ calls: { tries: 2 } });
    source.status("ready");
    source.snapshot(nodes("a", "b"));
    let failures = 7;
    ports.behave = ({ name }) => {
      if (name === "remoting.applyEvents" && failures-- > 0) throw new Error("busy");
    };
    await clock.advance(600_000);
    const tries = ports.started.map(({ argument }) => argument).filter(isEvents);
    expect(tries).toHaveLength(8);
    expect(new Set(tries.map((events) => JSON.stringify(events))).size).toBe(1);
    expect(ports.takeEvents()).toEqual(["join a@1", "join b@1"]);
  });

  test("and applied part of a batch loses no later event, although it filters repeats", async () => {
    // R4.1: a repeat under the same number is identical, or it has a later number.
    const { clock, source, ports } = setUp({ calls: { tries: 2 } });
    source.snapshot(nodes("a"));
    source.status("ready");
    await clock.settle();
    const channels = new Set(["a"]);
    const filter = new RemoteEventFilter();
    let isBroken = true;
    ports.behave = ({ argument }) => {
      if (!isEvents(argument)) return;
      for (const event of argument) {
        if (!filter.accept(event)) continue;
        if (event.kind === "join") channels.add(event.node.id);
        if (event.kind === "leave") channels.delete(event.node.id);
      }
      if (isBroken) throw new Error("after the work");
    };
    source.snapshot(nodes("b", "c"));
    await clock.advance(5_000);
    source.status("degraded");
    source.snapshot(nodes("0", "b"));
    await clock.advance(5_000);
    source.status("ready");
    await clock.advance(5_000);
    isBroken = false;
    await clock.advance(60_000);
    expect([...channels].sort()).toEqual(["0", "b"]);
  });

  test("and hangs in a notice is abandoned, and continues with later events", async () => {
    const { clock, source, ports, bridge } = setUp({ calls: { tries: 2, timeoutMs: 1_000 } });
    ports.behave = ({ name, seqNo }) =>
      name === "remoting.notify" && seqNo === 1 ? Promise.withResolvers<void>().promise : undefined;
    source.streamTerminated();
    source.snapshot(nodes("a"));
    source.status("ready");
    await clock.advance(10_000);
    expect(ports.take()).toEqual(["remoting.applyEvents 2", "remoting.notify 3"]);
    expect(bridge.port).toMatchObject({ parked: 1, overdue: 2 });
    expect(ports.errors.map(({ code }) => code)).toContain("LIFECYCLE_NOTICE_PARKED");
  });
});
