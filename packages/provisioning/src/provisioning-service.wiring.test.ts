import {
  createSeededRandom,
  MemoryProviderStore,
  MemorySnapshotStore,
  RecordingPartition,
  RecordingPlacement,
  RecordingRemoting,
  VirtualClock,
} from "@holdfast/testing";
import { ProvisioningError, type ClusterNodeInput } from "@holdfast/core";
import { memory } from "@holdfast/provider-memory";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { ProvisioningService } from "./provisioning-service.ts";
import type { ProvisioningServiceOptions } from "./service-options.ts";

// Each test fails if the service does not pass on the option or connect the part.

const node = (id: string): ClusterNodeInput => ({ id, host: `${id}.local`, port: 1 });
const provider = (id: string, priority: number, ...ids: readonly string[]) => ({
  id,
  kind: "memory",
  priority,
  params: { members: ids.map(node) },
});
const PROVIDERS = [provider("p", 2, "a", "b"), provider("q", 1, "a", "b")];

async function start(options: Partial<ProvisioningServiceOptions> = {}, providers = PROVIDERS) {
  const clock = new VirtualClock();
  const adapter = memory.createAdapter();
  const store = new MemoryProviderStore();
  const random = createSeededRandom(1);
  const service = new ProvisioningService({ adapters: [adapter], store, clock, random, ...options });
  const warnings: string[] = [];
  service.on("warning", ({ code }) => warnings.push(code));
  await service.start({ providers });
  await clock.settle();
  const find = (id: string) => adapter.providers.get(id)!;
  const stop = async () => void (await service.stop({ signal: AbortSignal.abort() }));
  return { clock, service, warnings, find, [Symbol.asyncDispose]: stop };
}

test("the health policy decides when failover leaves a silent provider", async () => {
  // R2.1
  await using short = await start({ health: { timeoutMs: 6_000, lateSnapshotMs: 1_000 } });
  await using usual = await start();
  for (const { clock, find } of [short, usual]) {
    find("p").hang();
    await clock.advance(10_000);
  }
  expect(short.service.topology.state.snapshot?.providerId).toBe("q");
  expect(usual.service.topology.state.snapshot?.providerId).toBe("p");
});

test("providers are created with a third of the health timeout as their heartbeat interval", async () => {
  // F10
  const heartbeats: number[] = [];
  const inner = memory.createAdapter();
  const adapter: typeof inner = {
    ...inner,
    create: (descriptor, context) => {
      heartbeats.push(context.heartbeatMs);
      return inner.create(descriptor, context);
    },
  };
  await using _ = await start({ adapters: [adapter], health: { timeoutMs: 6_000 } });
  expect(heartbeats).toEqual([2_000, 2_000]);
});

test("the guards decide how long a member is kept that the next provider does not list", async () => {
  // R2.4
  const providers = [provider("p", 2, "a", "b"), provider("q", 1, "a")];
  await using none = await start({ guards: { removalDwellMs: 0, massRemoval: false } }, providers);
  await using usual = await start({}, providers);
  for (const { clock, find, service } of [none, usual]) {
    find("p").refuse();
    find("p").fail();
    await clock.until(
      service.topology.waitFor(({ snapshot }) => snapshot?.providerId === "q"),
      60_000,
    );
  }
  expect(none.service.topology.newest().members.size).toBe(1);
  expect(usual.service.topology.newest().members.size).toBe(2);
});

test("a warning of failover about differing ids is a warning of the service", async () => {
  // H10
  const renamed = { ...PROVIDERS[1]!, params: { members: [{ ...node("a"), id: "a:1" }] } };
  await using setup = await start({}, [PROVIDERS[0]!, renamed]);
  expect(setup.warnings).toContain("TOPOLOGY_IDS_DIFFER");
});

test("the validation options decide whether a failed probe rejects the start", async () => {
  // R1.4
  const adapter = memory.createAdapter({ onCreate: (created) => created.refuse() });
  await expect(start({ adapters: [adapter] })).rejects.toMatchObject({ code: "CONNECTIVITY_REFUSED" });
  await using setup = await start({ adapters: [adapter], validation: { probe: "warn" } });
  expect(setup.service.registry.list()).toHaveLength(2);
});

test("a warning of the registry is a warning of the service", async () => {
  // R1.4
  const adapter = memory.createAdapter({ onCreate: (created) => created.refuse() });
  await using setup = await start({ adapters: [adapter], validation: { probe: "warn" } });
  expect(setup.warnings).toContain("CONNECTIVITY_REFUSED");
});

test("`retainedEvents` limits the kept events", async () => {
  // R4.1
  await using setup = await start({ retainedEvents: 1 });
  for (const id of ["c", "d", "e"]) {
    setup.find("p").set([node(id)]);
    await setup.clock.settle();
  }
  const { epoch, seqNo } = setup.service.topology.state;
  expect(setup.service.topology.eventsSince(epoch, seqNo - 1)).toHaveLength(1);
  expect(setup.service.topology.eventsSince(epoch, seqNo - 2)).toBeUndefined();
});

test("an error of a listener of the topology is a warning", async () => {
  // R5.4
  await using setup = await start();
  setup.service.topology.onEvent(() => {
    throw new Error("the listener failed");
  });
  setup.find("p").set([node("a"), node("b"), node("c")]);
  await setup.clock.settle();
  expect(setup.warnings).toHaveLength(1);
});

test("`calls.timeoutMs` limits calls of the ports, and their failures are warnings", async () => {
  // R3.6 F10
  const ports = { placement: new RecordingPlacement(), remoting: new RecordingRemoting() };
  ports.placement.hold();
  ports.remoting.hold();
  await using setup = await start({ ports, calls: { timeoutMs: 1_000 } });
  await setup.clock.advance(2_000);
  expect(setup.service.consumers().map(({ port, failures }) => [port, failures > 0])).toEqual([
    ["placement", true],
    ["remoting", true],
  ]);
  expect(setup.warnings.filter((code) => code === "LIFECYCLE_CONSUMER_TIMEOUT").length).toBeGreaterThan(1);
});

test("`calls.admitTimeoutMs` limits how long an admission waits", async () => {
  // R3.2
  const placement = new RecordingPlacement();
  placement.hold();
  await using setup = await start({ ports: { placement }, calls: { admitTimeoutMs: 500 } });
  const admission = setup.service.placement!.admit().catch((error: unknown) => error);
  await expect(setup.clock.until(admission, 1_000)).resolves.toBeInstanceOf(ProvisioningError);
});

test("every port is called", async () => {
  // R3.1
  const partition = new RecordingPartition();
  const placement = new RecordingPlacement();
  const remoting = new RecordingRemoting();
  await using setup = await start({ ports: { partition, placement, remoting } });
  await setup.clock.advance(1_000);
  for (const port of [partition, placement, remoting]) expect(port.calls.length).toBeGreaterThan(0);
});

test("a block reported by Remoting blocks the node in the topology", async () => {
  // R4.2
  const remoting = new RecordingRemoting();
  await using setup = await start({ ports: { remoting } });
  expect(setup.service.remoting!.block("a")).toBe(true);
  await setup.clock.settle();
  expect(setup.service.topology.newest().blockedNodes).toEqual(["a"]);
});

test("the metrics include the providers, the remote nodes and the ports", async () => {
  // R5.1 F10
  const metricsRegistry = new Registry();
  const remoting = new RecordingRemoting();
  await using setup = await start({ metricsRegistry, ports: { remoting } });
  await setup.clock.advance(1_000);
  const text = await metricsRegistry.metrics();
  expect(text).toMatch(/holdfast_provider_\w+\{[^}]*provider="q"/);
  expect(text).toMatch(/holdfast_remote_\w+\{[^}]*\} \d/);
  expect(text).toMatch(/holdfast_port_\w+\{[^}]*port="remoting"/);
});

test("the last known good snapshot is saved", async () => {
  // R5.3
  const store = new MemorySnapshotStore();
  await using setup = await start({ lastKnownGood: { store } });
  await setup.clock.advance(20_000);
  expect(store.known?.snapshot.members.size).toBe(2);
});

test("the epoch comes from the generation store, which receives the wall clock as the minimum", async () => {
  // R4.1
  const minimums: number[] = [];
  const storeOf = (generation: number) => ({
    next: async ({ atLeast }: { readonly atLeast: number }) => {
      minimums.push(atLeast);
      return generation;
    },
  });
  const later = 36 ** 8;
  await using one = await start({ generation: storeOf(later) });
  await using two = await start({ generation: storeOf(later + 1) });
  const epochs = [one, two].map(({ service }) => service.topology.epoch.slice(0, 9));
  expect(epochs).toEqual(["100000000", "100000001"]);
  expect(minimums).toEqual([one.clock.now(), two.clock.now()]);
});
