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

/** `b@2` is node b at another address. */
function node(name: string) {
  const [id = "", address = "1"] = name.split("@");
  return { id, host: `10.0.0.${address}`, port: 7_000 };
}

const nameOf = ({ id, host }: ClusterNode) => `${id}@${host.slice("10.0.0.".length)}`;

/** A receiver, and the channels it opens and closes. */
class Lab {
  readonly clock = new VirtualClock();
  readonly log: string[] = [];
  readonly batches: (readonly RemoteTopologyEvent[])[] = [];
  readonly receiver: RemotingReceiver = this.createReceiver();
  /** Called before a channel is opened; what it throws makes `open` fail. */
  onOpen: (name: string) => void = () => undefined;

  createReceiver(): RemotingReceiver {
    return new RemotingReceiver({ clock: this.clock, open: (to) => this.#open(to) });
  }

  /** A run of the service that calls the receiver; `set` changes the members. */
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
    // Members of these tests come and go all at once.
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
    // Without a store the clock orders the epochs.
    await this.clock.advance(1_000);
  }

  /** What was opened (+) and closed (-) since the last call. */
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
  test("open and close one channel for each node, and another property than the address changes nothing", async () => {
    const lab = new Lab();
    const { topology, set, provider } = await lab.start("a", "b");
    assert.deepEqual(lab.take(), ["+a@1", "+b@1"]);
    await set("b", "c");
    assert.deepEqual(lab.take(), ["-a@1", "+c@1"]);
    provider.set([{ ...node("b"), tags: ["new"] }, node("c")]);
    await lab.clock.settle();
    assert.deepEqual(lab.take(), []);
    assert.equal(lab.receiver.channel("a"), undefined);
    assert.equal(nameOf(lab.receiver.channel("b")!.node), "b@1");
    await lab.stop(topology);
    assert.deepEqual(lab.open, ["b@1", "c@1"], "the end of the service closes nothing");
    lab.receiver[Symbol.dispose]();
    assert.deepEqual(lab.take(), ["-b@1", "-c@1"]);
  });

  test("a changed address closes the channel to the old one before it opens the new one", async () => {
    const lab = new Lab();
    const { topology, set } = await lab.start("a", "b");
    lab.take();
    await set("a@2", "b");
    assert.deepEqual(lab.take(), ["-a@1", "+a@2"]);
    await lab.stop(topology);
  });
});

// R4.1
describe("a repeated batch", () => {
  test("opens and closes nothing, also when it comes much later", async () => {
    const lab = new Lab();
    const { topology, set } = await lab.start("a", "b");
    await set("b@2");
    topology.block("b");
    await lab.clock.settle();
    lab.take();
    const open = lab.open;
    for (const batch of lab.batches.slice()) lab.receiver.applyEvents(batch);
    assert.deepEqual([lab.take(), lab.open], [[], open]);
    await lab.stop(topology);
  });

  test("that failed half-way goes on with the event that failed", async () => {
    const lab = new Lab();
    let failures = 2;
    lab.onOpen = (name) => {
      if (name === "b@1" && failures-- > 0) throw new Error("too many open files");
    };
    const { topology } = await lab.start("a", "b", "c");
    await lab.clock.advance(10_000);
    assert.deepEqual(lab.take(), ["+a@1", "+b@1", "+c@1"]);
    const keys = lab.batches.map((batch) => batch.map(({ key }) => key));
    assert.equal(keys.length, 3);
    assert.deepEqual(keys[2], keys[0]);
    await lab.stop(topology);
  });
});

// R4.2 R4.4
describe("a block", () => {
  test("closes the channel, and a restore opens it at the next good refresh", async () => {
    const lab = new Lab();
    const { topology, provider } = await lab.start("a", "b");
    lab.take();
    topology.block("a");
    await lab.clock.settle();
    assert.deepEqual(lab.take(), ["-a@1"]);
    topology.restore("a");
    await lab.clock.settle();
    assert.deepEqual(lab.take(), [], "not before the refresh");
    provider.heartbeat();
    await lab.clock.settle();
    assert.deepEqual(lab.take(), ["+a@1"]);
    assert.equal(nameOf(lab.receiver.channel("a")!.node), "a@1");
    await lab.stop(topology);
  });

  test("of a node that moves leaves no channel to either address, and its leave forgets the block", async () => {
    const lab = new Lab();
    const { topology, set } = await lab.start("a", "b");
    topology.block("a");
    await lab.clock.settle();
    await set("a@2", "b");
    assert.deepEqual(lab.open, ["b@1"]);
    await set("b");
    await set("a@3", "b");
    assert.deepEqual(lab.open, ["a@3", "b@1"]);
    await lab.stop(topology);
  });

  test("by the receiver itself stops new work at once, and ends with its own restore", async () => {
    const lab = new Lab();
    const { topology, provider } = await lab.start("a", "b");
    lab.take();
    lab.receiver.isolate("a");
    assert.deepEqual(lab.take(), ["-a@1"]);
    assert.equal(lab.receiver.channel("a"), undefined);
    assert.deepEqual(topology.state.snapshot?.blockedNodes, ["a"], "every consumer is informed");
    await lab.clock.settle();
    lab.receiver.restore("a");
    await lab.clock.settle();
    assert.deepEqual([lab.take(), lab.receiver.channel("a")], [[], undefined]);
    provider.heartbeat();
    await lab.clock.settle();
    assert.deepEqual(lab.take(), ["+a@1"]);
    await lab.stop(topology);
  });

  test("that is over before it was delivered ends with an open channel", async () => {
    const lab = new Lab();
    const { topology, provider } = await lab.start("a", "b");
    lab.receiver.isolate("a");
    lab.receiver.restore("a");
    provider.heartbeat();
    await lab.clock.settle();
    assert.deepEqual(lab.open, ["a@1", "b@1"]);
    assert.equal(nameOf(lab.receiver.channel("a")!.node), "a@1");
    await lab.stop(topology);
  });
});

// R4.3
test("while the topology is not ready open channels stay, none is opened, and the status is a warning", async () => {
  const lab = new Lab();
  const { topology, provider } = await lab.start("a", "b");
  lab.take();
  assert.equal(lab.receiver.status, "ready");
  provider.set(["b", "c"].map(node), { observedAt: lab.clock.now() - 60_000 });
  await lab.clock.settle();
  assert.equal(lab.receiver.status, "degraded");
  assert.ok(!lab.take().includes("+c@1"));
  provider.heartbeat();
  await lab.clock.settle();
  assert.deepEqual([lab.receiver.status, lab.open], ["ready", ["b@1", "c@1"]]);
  await lab.stop(topology);
});

// R4.1
describe("a new epoch", () => {
  test("keeps the channels of members, and closes those of nodes that do not join in it", async () => {
    const lab = new Lab();
    const first = await lab.start("a", "b", "c", "d");
    first.topology.block("d");
    await lab.clock.settle();
    await lab.stop(first.topology);
    lab.take();
    const second = await lab.start("b", "c@2", "d");
    assert.deepEqual(
      lab.take(),
      ["-c@1", "+c@2", "+d@1"],
      "a moved; d is not blocked any more; b stayed as it is",
    );
    assert.deepEqual(lab.open, ["a@1", "b@1", "c@2", "d@1"]);
    await lab.clock.advance(59_000);
    assert.deepEqual(lab.take(), []);
    await lab.clock.advance(1_000);
    assert.deepEqual(lab.take(), ["-a@1"], "a left between the two runs");
    await lab.stop(second.topology);
    assert.equal(lab.clock.pendingTimers, 0);
  });

  test("keeps what has not joined while the topology is not ready", async () => {
    const lab = new Lab();
    const first = await lab.start("a", "b");
    await lab.stop(first.topology);
    const second = await lab.start("b");
    second.provider.set([node("b")], { observedAt: lab.clock.now() - 60_000 });
    await lab.clock.settle();
    second.provider.refuse();
    second.provider.fail();
    await lab.clock.advance(600_000);
    assert.deepEqual(lab.open, ["a@1", "b@1"]);
    second.provider.recover();
    await lab.clock.advance(200_000);
    assert.deepEqual(lab.open, ["b@1"]);
    await lab.stop(second.topology);
  });

  test("finds a node that this receiver isolated blocked again", async () => {
    const lab = new Lab();
    const first = await lab.start("a", "b");
    lab.receiver.isolate("a");
    await lab.clock.settle();
    await lab.stop(first.topology);
    const second = await lab.start("a", "b");
    assert.deepEqual(second.topology.state.snapshot?.blockedNodes, ["a"]);
    assert.deepEqual(lab.open, ["b@1"]);
    lab.receiver.restore("a");
    second.provider.heartbeat();
    await lab.clock.settle();
    assert.deepEqual(lab.open, ["a@1", "b@1"]);
    await lab.stop(second.topology);
  });

  test("makes what still comes of the old one worthless", async () => {
    const lab = new Lab();
    const first = await lab.start("a", "b");
    await lab.stop(first.topology);
    const old = lab.batches.splice(0);
    const second = await lab.start("b");
    await lab.clock.advance(60_000);
    lab.take();
    for (const batch of old) lab.receiver.applyEvents(batch);
    assert.deepEqual([lab.take(), lab.open], [[], ["b@1"]]);
    await lab.stop(second.topology);
  });
});

// R4.1 R4.2
test("a receiver that was restarted gets a bridge of its own, which begins with every member and every block", async () => {
  const lab = new Lab();
  const { topology, set } = await lab.start("a", "b");
  topology.block("b");
  await lab.clock.settle();
  const restarted = lab.createReceiver();
  lab.take();
  const { clock } = lab;
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
  await lab.stop(topology);
});
