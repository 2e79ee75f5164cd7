import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { RemotingBridge } from "@holdfast/bridges";
import type { RemoteTopologyEvent, ClusterNode } from "@holdfast/core";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { memory } from "@holdfast/provider-memory";
import { connect, type Topology } from "holdfast";
import type { Channel } from "./channel.ts";
import { RemotingReceiver } from "./remoting-receiver.ts";

const HOUR_MS = 3_600_000;

/** Parses a node name. `b@2` is node `b` with the address 10.0.0.2. */
function node(name: string) {
  const [id = "", address = "1"] = name.split("@");
  return { id, host: `10.0.0.${address}`, port: 7_000 };
}

const nameOf = ({ id, host }: ClusterNode) => `${id}@${host.slice("10.0.0.".length)}`;

/** A receiver and a log of the channels that it opens and closes. */
class TestBench {
  readonly clock = new VirtualClock();
  readonly log: string[] = [];
  readonly batches: (readonly RemoteTopologyEvent[])[] = [];
  readonly receiver: RemotingReceiver = this.createReceiver();
  /** Called before a channel is opened. If it throws, `open` fails. */
  onOpen: (name: string) => void = () => undefined;

  createReceiver(): RemotingReceiver {
    return new RemotingReceiver({ clock: this.clock, open: (to) => this.#open(to) });
  }

  /** Starts a service that calls the receiver. `set` changes its members. */
  async start(...names: readonly string[]) {
    const spec = memory({ members: names.map(node) }, { id: "primary" });
    const { clock, receiver, batches } = this;
    const remoting = {
      applyEvents(events: readonly RemoteTopologyEvent[]) {
        batches.push(events);
        receiver.applyEvents(events);
      },
      notify: receiver.notify.bind(receiver),
    };
    // These tests remove many members at once, which the guard would hold back.
    const guards = { massRemoval: false } as const;
    const options = { providers: [spec], ports: { remoting }, guards, clock, random: createSeededRandom(1) };
    const topology = await clock.until(connect(options), HOUR_MS);
    receiver.attach(topology.service.remoting!);
    await clock.settle();
    const set = async (...members: readonly string[]) => {
      spec.provider.set(members.map(node));
      await clock.settle();
    };
    return { topology, set, provider: spec.provider };
  }

  async stop(topology: Topology): Promise<void> {
    await this.clock.until(topology.close(), HOUR_MS);
    // Without a store, a new epoch is greater only when the clock has advanced.
    await this.clock.advance(1_000);
  }

  /** Returns the channels that were opened (+) and closed (-) since the last call. */
  take(): readonly string[] {
    return this.log.splice(0);
  }

  get open(): readonly string[] {
    return this.receiver.open.map(nameOf).sort();
  }

  #open(to: ClusterNode): Channel {
    this.onOpen(nameOf(to));
    this.log.push(`+${nameOf(to)}`);
    let isOpen = true;
    const close = () => {
      if (isOpen) this.log.push(`-${nameOf(to)}`);
      isOpen = false;
    };
    return { node: to, close };
  }
}

// R4.1
describe("join and leave", () => {
  test("open and close one channel for each node; a change of other properties than the address has no effect", async () => {
    const bench = new TestBench();
    const { topology, set, provider } = await bench.start("a", "b");
    assert.deepEqual(bench.take(), ["+a@1", "+b@1"]);
    await set("b", "c");
    assert.deepEqual(bench.take(), ["-a@1", "+c@1"]);
    provider.set([{ ...node("b"), tags: ["new"] }, node("c")]);
    await bench.clock.settle();
    assert.deepEqual(bench.take(), []);
    assert.equal(bench.receiver.channel("a"), undefined);
    assert.equal(nameOf(bench.receiver.channel("b")!.node), "b@1");
    await bench.stop(topology);
    assert.deepEqual(bench.open, ["b@1", "c@1"], "stopping the service closes no channels");
    bench.receiver[Symbol.dispose]();
    assert.deepEqual(bench.take(), ["-b@1", "-c@1"]);
  });

  test("a changed address closes the channel to the old one before it opens the new one", async () => {
    const bench = new TestBench();
    const { topology, set } = await bench.start("a", "b");
    bench.take();
    await set("a@2", "b");
    assert.deepEqual(bench.take(), ["-a@1", "+a@2"]);
    await bench.stop(topology);
  });
});

// R4.1
describe("a repeated batch", () => {
  test("opens and closes no channels, even if it is repeated much later", async () => {
    const bench = new TestBench();
    const { topology, set } = await bench.start("a", "b");
    await set("b@2");
    topology.block("b");
    await bench.clock.settle();
    bench.take();
    const open = bench.open;
    for (const batch of bench.batches.slice()) bench.receiver.applyEvents(batch);
    assert.deepEqual([bench.take(), bench.open], [[], open]);
    await bench.stop(topology);
  });

  test("that failed continues with the event that failed", async () => {
    const bench = new TestBench();
    let failures = 2;
    bench.onOpen = (name) => {
      if (name === "b@1" && failures-- > 0) throw new Error("too many open files");
    };
    const { topology } = await bench.start("a", "b", "c");
    await bench.clock.advance(10_000);
    assert.deepEqual(bench.take(), ["+a@1", "+b@1", "+c@1"]);
    const keys = bench.batches.map((batch) => batch.map(({ key }) => key));
    assert.equal(keys.length, 3);
    assert.deepEqual(keys[2], keys[0]);
    await bench.stop(topology);
  });
});

// R4.2 R4.4
describe("a block", () => {
  test("closes the channel; after a restore the next successful refresh opens it again", async () => {
    const bench = new TestBench();
    const { topology, provider } = await bench.start("a", "b");
    bench.take();
    topology.block("a");
    await bench.clock.settle();
    assert.deepEqual(bench.take(), ["-a@1"]);
    topology.restore("a");
    await bench.clock.settle();
    assert.deepEqual(bench.take(), [], "not before the refresh");
    provider.heartbeat();
    await bench.clock.settle();
    assert.deepEqual(bench.take(), ["+a@1"]);
    assert.equal(nameOf(bench.receiver.channel("a")!.node), "a@1");
    await bench.stop(topology);
  });

  test("of a node whose address changes leaves no channel to either address; its leave removes the block", async () => {
    const bench = new TestBench();
    const { topology, set } = await bench.start("a", "b");
    topology.block("a");
    await bench.clock.settle();
    await set("a@2", "b");
    assert.deepEqual(bench.open, ["b@1"]);
    await set("b");
    await set("a@3", "b");
    assert.deepEqual(bench.open, ["a@3", "b@1"]);
    await bench.stop(topology);
  });

  test("by the receiver itself takes effect at once, and ends with its own restore", async () => {
    const bench = new TestBench();
    const { topology, provider } = await bench.start("a", "b");
    bench.take();
    bench.receiver.isolate("a");
    assert.deepEqual(bench.take(), ["-a@1"]);
    assert.equal(bench.receiver.channel("a"), undefined);
    assert.deepEqual(topology.state.snapshot?.blockedNodes, ["a"], "every consumer is informed");
    await bench.clock.settle();
    bench.receiver.restore("a");
    await bench.clock.settle();
    assert.deepEqual([bench.take(), bench.receiver.channel("a")], [[], undefined]);
    provider.heartbeat();
    await bench.clock.settle();
    assert.deepEqual(bench.take(), ["+a@1"]);
    await bench.stop(topology);
  });

  test("that ended before it was delivered leaves an open channel", async () => {
    const bench = new TestBench();
    const { topology, provider } = await bench.start("a", "b");
    bench.receiver.isolate("a");
    bench.receiver.restore("a");
    provider.heartbeat();
    await bench.clock.settle();
    assert.deepEqual(bench.open, ["a@1", "b@1"]);
    assert.equal(nameOf(bench.receiver.channel("a")!.node), "a@1");
    await bench.stop(topology);
  });
});

// R4.3
test("while the topology is not ready, open channels stay open, no channel is opened, and the status shows it", async () => {
  const bench = new TestBench();
  const { topology, provider } = await bench.start("a", "b");
  bench.take();
  assert.equal(bench.receiver.status, "ready");
  provider.set(["b", "c"].map(node), { observedAt: bench.clock.now() - 60_000 });
  await bench.clock.settle();
  assert.equal(bench.receiver.status, "degraded");
  assert.ok(!bench.take().includes("+c@1"));
  provider.heartbeat();
  await bench.clock.settle();
  assert.deepEqual([bench.receiver.status, bench.open], ["ready", ["b@1", "c@1"]]);
  await bench.stop(topology);
});

// R4.1
describe("a new epoch", () => {
  test("keeps the channels of its members, and closes the channels of nodes that do not join in it", async () => {
    const bench = new TestBench();
    const first = await bench.start("a", "b", "c", "d");
    first.topology.block("d");
    await bench.clock.settle();
    await bench.stop(first.topology);
    bench.take();
    const second = await bench.start("b", "c@2", "d");
    assert.deepEqual(
      bench.take(),
      ["-c@1", "+c@2", "+d@1"],
      "the address of c changed; d is no longer blocked; b did not change",
    );
    assert.deepEqual(bench.open, ["a@1", "b@1", "c@2", "d@1"]);
    await bench.clock.advance(59_000);
    assert.deepEqual(bench.take(), []);
    await bench.clock.advance(1_000);
    assert.deepEqual(bench.take(), ["-a@1"], "a left between the two runs");
    await bench.stop(second.topology);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  test("keeps the channels of nodes that have not joined while the topology is not ready", async () => {
    const bench = new TestBench();
    const first = await bench.start("a", "b");
    await bench.stop(first.topology);
    const second = await bench.start("b");
    second.provider.set([node("b")], { observedAt: bench.clock.now() - 60_000 });
    await bench.clock.settle();
    second.provider.refuse();
    second.provider.fail();
    await bench.clock.advance(600_000);
    assert.deepEqual(bench.open, ["a@1", "b@1"]);
    second.provider.recover();
    await bench.clock.advance(200_000);
    assert.deepEqual(bench.open, ["b@1"]);
    await bench.stop(second.topology);
  });

  test("blocks a node again that this receiver isolated", async () => {
    const bench = new TestBench();
    const first = await bench.start("a", "b");
    bench.receiver.isolate("a");
    await bench.clock.settle();
    await bench.stop(first.topology);
    const second = await bench.start("a", "b");
    assert.deepEqual(second.topology.state.snapshot?.blockedNodes, ["a"]);
    assert.deepEqual(bench.open, ["b@1"]);
    bench.receiver.restore("a");
    second.provider.heartbeat();
    await bench.clock.settle();
    assert.deepEqual(bench.open, ["a@1", "b@1"]);
    await bench.stop(second.topology);
  });

  test("makes the receiver ignore events of the old epoch", async () => {
    const bench = new TestBench();
    const first = await bench.start("a", "b");
    await bench.stop(first.topology);
    const old = bench.batches.splice(0);
    const second = await bench.start("b");
    await bench.clock.advance(60_000);
    bench.take();
    for (const batch of old) bench.receiver.applyEvents(batch);
    assert.deepEqual([bench.take(), bench.open], [[], ["b@1"]]);
    await bench.stop(second.topology);
  });
});

// R4.1 R4.2
test("a restarted receiver gets a new bridge, which starts with every member and every block", async () => {
  const bench = new TestBench();
  const { topology, set } = await bench.start("a", "b");
  topology.block("b");
  await bench.clock.settle();
  const restarted = bench.createReceiver();
  bench.take();
  const { clock } = bench;
  const source = topology.service.topology;
  const bridge = new RemotingBridge({
    source,
    blocks: source,
    port: restarted,
    clock,
    random: createSeededRandom(2),
  });
  restarted.attach(bridge);
  await clock.settle();
  assert.deepEqual(restarted.open.map(nameOf), ["a@1"]);
  await set("a@2", "b", "c");
  assert.deepEqual(restarted.open.map(nameOf), ["a@2", "c@1"]);
  await clock.until(bridge[Symbol.asyncDispose](), HOUR_MS);
  await bench.stop(topology);
});
