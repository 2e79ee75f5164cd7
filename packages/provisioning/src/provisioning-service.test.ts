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
  test("does nothing before it is asked to, and only once however often it is asked", async () => {
    const { clock, adapter, service } = setUp();
    await clock.advance(60_000);
    expect(service.topology.state).toMatchObject({ status: "starting", seqNo: 0 });
    expect(service.providerHealth()).toEqual([]);
    await Promise.all([service.start({ providers: PROVIDERS }), service.start()]);
    await clock.settle();
    expect(adapter.providers.get("p")!.watches).toBe(1);
    await service.stop();
  });

  test("given up by its signal it stops, and nothing is in force", async () => {
    const { adapter, clock, service } = setUp();
    await expect(service.start({ providers: PROVIDERS, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "LIFECYCLE_ABORTED",
    });
    await service.stop();
    expect(adapter.providers.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test("given up while a provider is being proven it stops too", async () => {
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
  test("before a start, during one, and twice is all the same", async () => {
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

  test("does not wait for a consumer past the caller's patience", async () => {
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

describe("stopping in spite of", () => {
  test("a provider that hangs when it is disposed of ends at the deadline, and says so", async () => {
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

  test("a provider that hangs too, once consumers have used the deadline up, ends within a second more", async () => {
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

  test("a start whose save hangs ends at the deadline, and the start is refused", async () => {
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

  test("a reload under way leaves no provider behind", async () => {
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

test("without ports it only keeps the log", async () => {
  const { clock, service } = setUp();
  await service.start({ providers: PROVIDERS });
  await clock.settle();
  expect(service.topology.newest().members.size).toBe(1);
  expect([service.placement, service.partition, service.remoting]).toEqual([undefined, undefined, undefined]);
  expect([...service.remoteNodes()]).toEqual([]);
  await service.stop();
});

test("puts its metrics where it is told, and takes them away again", async () => {
  // R5.1
  const metricsRegistry = new Registry();
  const { clock, service } = setUp({ metricsRegistry });
  await service.start({ providers: PROVIDERS });
  await clock.settle();
  expect(await metricsRegistry.metrics()).toMatch(/holdfast_members 1\n/);
  await service.stop();
  expect(metricsRegistry.getMetricsAsArray()).toEqual([]);
});

test("entries that a provider could not read are warned of, by count and form", async () => {
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

test("members that were cut, and two with one endpoint, are warned of", async () => {
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

test("an override of a provider that is not there is refused", async () => {
  const { service } = setUp();
  await service.start({ providers: PROVIDERS });
  expect(() => service.override("nobody")).toThrow(/VALIDATION_UNKNOWN_ID/);
  await service.stop();
});
