import { createSeededRandom, MemoryProviderStore, RecordingRemoting, VirtualClock } from "@holdfast/testing";
import { memory } from "@holdfast/provider-memory";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { ProvisioningService } from "./provisioning-service.ts";
import type { ProvisioningServiceOptions } from "./service-options.ts";

const PROVIDERS = [
  { id: "p", kind: "memory", priority: 1, params: { members: [{ id: "a", host: "a.local", port: 1 }] } },
];

function setUp(options: Partial<ProvisioningServiceOptions> = {}) {
  const clock = new VirtualClock();
  const adapter = memory.createAdapter();
  const store = new MemoryProviderStore();
  const random = createSeededRandom(1);
  const service = new ProvisioningService({ adapters: [adapter], store, clock, random, ...options });
  return { clock, adapter, store, service };
}

describe("starting", () => {
  test("watches only after the call to `start`, and only once after several calls", async () => {
    const { clock, adapter, service } = setUp();
    await clock.advance(60_000);
    expect(service.topology.state).toMatchObject({ status: "starting", seqNo: 0 });
    expect(service.providerHealth()).toEqual([]);
    await Promise.all([service.start({ providers: PROVIDERS }), service.start()]);
    await clock.settle();
    expect(adapter.providers.get("p")!.watches).toBe(1);
    await service.stop();
  });

  test("stops when the signal of the start has aborted, without creating a provider", async () => {
    const { adapter, clock, service } = setUp();
    await expect(service.start({ providers: PROVIDERS, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "LIFECYCLE_ABORTED",
    });
    await service.stop();
    expect(adapter.providers.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("stops when the signal aborts while a provider is being probed", async () => {
    const adapter = memory.createAdapter({ onCreate: (provider) => provider.hang() });
    const { clock, service } = setUp({ adapters: [adapter] });
    const abort = new AbortController();
    const starting = service.start({ providers: PROVIDERS, signal: abort.signal });
    const outcome = starting.catch((error: unknown) => error);
    await clock.advance(1_000);
    abort.abort();
    expect(await outcome).toMatchObject({ code: "LIFECYCLE_ABORTED" });
    await service.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("stopping", () => {
  test("is possible before a start, during a start, and twice", async () => {
    const never = setUp();
    expect(await never.service.stop()).toEqual({ unfinished: [] });
    const { clock, service } = setUp();
    const starting = service.start({ providers: PROVIDERS });
    const outcome = starting.catch((error: unknown) => error);
    const first = service.stop();
    expect(service.stop()).toBe(first);
    expect(await outcome).toMatchObject({ code: "LIFECYCLE_STOPPED" });
    await first;
    await service[Symbol.asyncDispose]();
    expect(clock.pendingTimers).toBe(0);
  });

  test("does not wait for a consumer after the signal has aborted", async () => {
    // R3.5
    const remoting = new RecordingRemoting();
    const { clock, service } = setUp({ ports: { remoting } });
    remoting.hold();
    await service.start({ providers: PROVIDERS });
    await clock.settle();
    const { unfinished } = await service.stop({ signal: AbortSignal.abort() });
    expect(unfinished.length).toBeGreaterThan(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

const started = async (options: Partial<ProvisioningServiceOptions>) => {
  const setup = setUp(options);
  await setup.service.start({ providers: PROVIDERS });
  await setup.clock.settle();
  return setup;
};

describe("stopping with", () => {
  test("a provider whose disposal hangs ends at the deadline and reports it", async () => {
    // R3.5
    const adapter = memory.createAdapter({
      onCreate: (provider) => {
        provider[Symbol.asyncDispose] = () => new Promise(() => {});
      },
    });
    const { clock, service } = await started({ adapters: [adapter] });
    const report = await clock.until(service.stop({ deadlineMs: 3_000 }), 3_000);
    expect(report).toEqual({ unfinished: ["registry: a save or the disposal of a provider"] });
    expect(clock.pendingTimers).toBe(0);
  });

  test("a consumer and a provider that hang ends within a second after the deadline", async () => {
    const remoting = new RecordingRemoting();
    remoting.hold();
    const adapter = memory.createAdapter({
      onCreate: (provider) => {
        provider[Symbol.asyncDispose] = () => new Promise(() => {});
      },
    });
    const { clock, service } = await started({ adapters: [adapter], ports: { remoting } });
    const { unfinished } = await clock.until(service.stop({ deadlineMs: 3_000 }), 4_000);
    expect(unfinished.map((text) => text.split(":")[0])).toEqual(
      expect.arrayContaining(["remoting", "registry"]),
    );
    expect(clock.pendingTimers).toBe(0);
  });

  test("a start whose save hangs ends at the deadline, and the start is rejected", async () => {
    // R3.5
    const store = new MemoryProviderStore();
    const held = Promise.withResolvers<void>();
    const save = store.save.bind(store);
    store.save = async (all) => {
      await held.promise;
      return save(all);
    };
    const { clock, service } = setUp({ store });
    const starting = service.start({ providers: PROVIDERS });
    const outcome = starting.catch((error: unknown) => error);
    await clock.settle();
    const report = await clock.until(service.stop({ deadlineMs: 3_000 }), 4_000);
    expect(report.unfinished).toEqual(["registry: a save or the disposal of a provider"]);
    held.resolve();
    expect(await outcome).toMatchObject({ code: "LIFECYCLE_STOPPED" });
    await clock.settle();
    expect(service.registry.list()).toEqual([]);
    expect(service.topology.state.status).toBe("stopped");
    expect(clock.pendingTimers).toBe(0);
  });

  test("a reload in progress leaves no provider open", async () => {
    const { adapter, clock, service } = await started({});
    const reloading = service.registry.reload([{ id: "q", kind: "memory", priority: 1, params: {} }]);
    const outcome = reloading.catch((error: unknown) => error);
    expect(await service.stop()).toEqual({ unfinished: [] });
    await outcome;
    expect([...adapter.providers.values()].map(({ watches }) => watches)).not.toContain(1);
    expect(service.registry.list()).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

test("keeps the log without any port", async () => {
  const { clock, service } = setUp();
  await service.start({ providers: PROVIDERS });
  await clock.settle();
  expect(service.topology.newest().members.size).toBe(1);
  expect([service.placement, service.partition, service.remoting]).toEqual([undefined, undefined, undefined]);
  expect([...service.remoteNodes()]).toEqual([]);
  await service.stop();
});

test("adds its metrics to the given registry, and removes them at the stop", async () => {
  // R5.1
  const metricsRegistry = new Registry();
  const { clock, service } = setUp({ metricsRegistry });
  await service.start({ providers: PROVIDERS });
  await clock.settle();
  expect(await metricsRegistry.metrics()).toMatch(/holdfast_members\{topology="default"\} 1\n/);
  await service.stop();
  expect(metricsRegistry.getMetricsAsArray()).toEqual([]);
});

test("warns about entries that a provider could not read", async () => {
  const { adapter, clock, service } = setUp();
  const warnings: string[] = [];
  service.on("warning", ({ code, providerId }) => warnings.push(`${code} ${providerId}`));
  await service.start({ providers: PROVIDERS });
  await clock.settle();
  adapter.providers
    .get("p")!
    .set([{ id: "b", host: "b.local", port: 2 }], { skipped: { count: 2, reasons: ["no port"] } });
  await clock.settle();
  expect(warnings).toEqual(["STREAM_INVALID_DATA p"]);
  await service.stop();
});

test("warns about truncated members, and about two members with the same endpoint", async () => {
  // C3, C4
  const { adapter, clock, service } = setUp();
  const warnings: unknown[] = [];
  service.on("warning", ({ code, providerId, details }) => warnings.push({ code, providerId, details }));
  const members = ["a", "b"].map((id) => ({ id, host: "h.local", port: 1 }));
  await service.start({ providers: [{ ...PROVIDERS[0]!, params: { members } }] });
  await clock.settle();
  const pairs = [{ address: "h.local:1", ids: ["a", "b"] }];
  expect(warnings.splice(0)).toEqual([
    { code: "TOPOLOGY_SHARED_ENDPOINT", providerId: "p", details: { providerId: "p", count: 1, pairs } },
  ]);
  const trimmed = { count: 1, reasons: ["tags"] };
  adapter.providers.get("p")!.set([{ id: "b", host: "b.local", port: 2 }], { trimmed });
  await clock.settle();
  expect(warnings).toEqual([{ code: "STREAM_INVALID_DATA", providerId: "p", details: trimmed }]);
  await service.stop();
  expect(clock.pendingTimers).toBe(0);
});

test("rejects an override of a provider that is not registered", async () => {
  const { service } = setUp();
  await service.start({ providers: PROVIDERS });
  expect(() => service.override("unknown")).toThrow(/VALIDATION_UNKNOWN_ID/);
  await service.stop();
});
