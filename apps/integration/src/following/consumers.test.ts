import { OwnershipLane, RemotingBridge } from "@holdfast/bridges";
import { follow } from "@holdfast/client";
import { MeshDaemon } from "@holdfast/client/simulated";
import { ProvisioningMetrics } from "@holdfast/metrics";
import {
  createSeededRandom,
  RecordingPartition,
  RecordingPlacement,
  RecordingRemoting,
  VirtualClock,
} from "@holdfast/testing";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { node } from "../service-harness.ts";

const transport = () => Promise.reject(new Error("no peer"));

// R7.4: the consumers of a topology in the same process work on one that is followed, unchanged.
test("bridges and metrics take a followed topology as their source", async () => {
  const clock = new VirtualClock();
  const random = createSeededRandom(1);
  const daemon = new MeshDaemon({ name: "one", clock, seed: 1, peers: [], transport });
  daemon.backend.set([node("a"), node("b")]);
  const topology = follow({ url: "http://one", clock, random, transport: daemon.server.transport });

  const placement = new RecordingPlacement();
  const partition = new RecordingPartition();
  const remoting = new RecordingRemoting();
  const common = { source: topology, clock, random };
  const lane = new OwnershipLane({ ...common, placement, partition });
  const bridge = new RemotingBridge({ ...common, port: remoting, blocks: topology });
  const registry = new Registry();
  const metrics = new ProvisioningMetrics({ registry, clock });
  metrics.add({ source: topology, providerHealth: () => topology.daemons() });
  await clock.until(topology.ready(), 1_000);
  await clock.settle();
  const { hash } = daemon.state.snapshot!;
  const events = () => remoting.events.map(({ kind, node: { id } }) => `${kind} ${id}`).join(", ");
  expect(placement.ticks.at(-1)?.snapshot.hash).toBe(hash);
  expect(partition.ticks.at(-1)?.snapshot.hash).toBe(hash);
  expect(events()).toBe("join a, join b");
  expect(await registry.metrics()).toMatch(/holdfast_members(\{topology="default"\})? 2\n/);

  // A node that this process isolates is blocked here alone.
  bridge.block("a");
  await clock.settle();
  expect(events()).toBe("join a, join b, blocked a");
  expect(topology.state.snapshot?.blockedNodes).toEqual(["a"]);
  expect(daemon.state.snapshot?.blockedNodes).toEqual([]);

  // While the daemon is stale no new channel is opened, and what left is closed.
  daemon.loseBackend();
  await clock.advance(1_000);
  daemon.backend.set([node("b"), node("c")]);
  await clock.advance(1_000);
  expect(events()).toBe("join a, join b, blocked a");
  daemon.backend.recover();
  await clock.advance(30_000);
  expect(events()).toBe("join a, join b, blocked a, leave a, join c");

  metrics[Symbol.dispose]();
  const closing = Promise.all([lane[Symbol.asyncDispose](), bridge[Symbol.asyncDispose]()]);
  await clock.until(closing, 60_000);
  await clock.until(topology.close(), 60_000);
  await clock.until(daemon[Symbol.asyncDispose](), 60_000);
  expect(clock.pendingTimers).toBe(0);
});
