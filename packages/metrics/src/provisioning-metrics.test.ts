import { readFileSync } from "node:fs";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import {
  sleep,
  systemClock,
  type PortReport,
  type ProviderHealth,
  type ProviderHealthReport,
  type RemoteNodeReport,
  type RemoteNodeState,
} from "@holdfast/core";
import { Failover } from "@holdfast/failover";
import { WatchHub } from "@holdfast/hub";
import { MemoryProvider } from "@holdfast/provider-memory";
import { Gauge, Registry, register, type OpenMetricsContentType } from "prom-client";
import { describe, expect, test } from "vitest";
import { parseExposition, type Family } from "../test/exposition.ts";
import { ProvisioningMetrics, type ProvisioningMetricsOptions } from "./provisioning-metrics.ts";
import type { MeasuredTopology } from "./topology-metrics.ts";
import { membersOf, MeasuredSource } from "../test/measured-source.ts";

type AnyRegistry = Registry | Registry<OpenMetricsContentType>;

const healthy: ProviderHealthReport = {
  providerId: "primary",
  health: "healthy",
  isActive: true,
  errors: 0,
  lastUpdateAt: 1_500,
};
const failing: ProviderHealthReport = {
  providerId: "backup",
  health: "unreachable",
  isActive: false,
  errors: 4,
};

interface SetUpOptions
  extends Partial<Omit<ProvisioningMetricsOptions, "registry">>, Partial<MeasuredTopology> {
  readonly registry?: AnyRegistry;
}

function setUp(options: SetUpOptions = {}) {
  const clock = new VirtualClock();
  const source = new MeasuredSource(clock);
  const { registry = new Registry() } = options;
  const metrics = new ProvisioningMetrics({ clock, ...options, registry });
  metrics.add({ source, providerHealth: () => [], ...options });
  return { clock, source, registry, metrics, [Symbol.dispose]: () => metrics[Symbol.dispose]() };
}

async function scrape(registry: AnyRegistry): Promise<ReadonlyMap<string, Family>> {
  return parseExposition(await registry.metrics());
}

/** Returns the series of a metric of one topology, or of the process, keyed by their other labels. */
async function seriesOf(
  registry: AnyRegistry,
  name: string,
  topology = "default",
): Promise<Record<string, number>> {
  const samples = (await scrape(registry)).get(`holdfast_${name}`)?.samples ?? [];
  return Object.fromEntries(
    samples.flatMap(({ labels: { topology: of, ...labels }, value }) =>
      (of ?? topology) === topology ? [[Object.values(labels).join(" "), value]] : [],
    ),
  );
}

function nodesOf(...states: readonly RemoteNodeState[]): RemoteNodeReport[] {
  return states.map((state, i) => ({ nodeId: `n${i}`, state, lastUpdateAt: 1_000 * (i + 1) }));
}

describe("events", () => {
  test("the latency of snapshots is observed by provider, with the seqNo of the last one", async () => {
    using it = setUp();
    it.source.snapshot(20, { providerId: "primary", members: membersOf("a") });
    it.source.snapshot(4_000, { providerId: "primary", members: membersOf("a", "b") });
    it.source.snapshot(-5, { providerId: "backup", members: membersOf("b") });
    const { samples } = (await scrape(it.registry)).get("holdfast_snapshot_latency_seconds")!;
    const of = (provider: string, suffix: string, le?: string) =>
      samples.find(
        ({ name, labels }) => name.endsWith(suffix) && labels["provider"] === provider && labels["le"] === le,
      )?.value;
    // R5.1
    expect(of("primary", "_count")).toBe(2);
    expect(of("primary", "_sum")).toBeCloseTo(4.02);
    expect(of("primary", "_bucket", "0.01")).toBe(0);
    expect(of("primary", "_bucket", "0.025")).toBe(1);
    expect(of("primary", "_bucket", "5")).toBe(2);
    // A clock that was set back causes no negative latency.
    expect(of("backup", "_sum")).toBe(0);
    expect(await seriesOf(it.registry, "snapshot_latency_last_seqno")).toEqual({ primary: 2, backup: 3 });
  });

  test("a snapshot that only blocks nodes has no latency, however old its response is", async () => {
    using it = setUp();
    it.source.snapshot(10, { providerId: "primary", members: membersOf("a", "b") });
    await it.clock.advance(3_600_000);
    it.source.block("a");
    it.source.block();
    expect(await seriesOf(it.registry, "snapshot_latency_last_seqno")).toEqual({ primary: 1 });
    expect((await seriesOf(it.registry, "snapshot_latency_seconds"))["primary"]).toBe(1);
  });

  test("the first snapshot has a latency, also when it has no members", async () => {
    using it = setUp();
    it.source.snapshot(10, { providerId: "primary", members: membersOf() });
    expect(await seriesOf(it.registry, "snapshot_latency_last_seqno")).toEqual({ primary: 1 });
  });

  test("failovers are counted by reason, from and to, with the seqNo of the last one", async () => {
    using it = setUp();
    it.source.switchProvider("primary", "backup", "timeout");
    it.source.switchProvider("backup", "primary", "recovered");
    it.source.terminate("primary", { kind: "ended" });
    it.source.switchProvider("primary", "backup", "timeout");
    // R5.1
    expect(await seriesOf(it.registry, "failovers_total")).toEqual({
      "primary backup timeout": 2,
      "backup primary recovered": 1,
    });
    expect(await seriesOf(it.registry, "failovers_last_seqno")).toEqual({
      "primary backup timeout": 4,
      "backup primary recovered": 2,
    });
  });

  test("a provider that never delivered counts once each time it becomes unreachable", async () => {
    using it = setUp();
    const turn = (from: ProviderHealth, to: ProviderHealth) =>
      it.source.append({
        kind: "health_changed",
        providerId: "primary",
        from,
        to,
        ...(to === "unreachable" && { reason: { code: "CONNECTIVITY_TIMEOUT", message: "no answer" } }),
      });
    // R2.2, R5.1
    turn("connecting", "degraded");
    turn("degraded", "unreachable");
    expect(await seriesOf(it.registry, "stream_interruptions_total")).toEqual({
      "primary CONNECTIVITY_TIMEOUT": 1,
    });
    turn("unreachable", "healthy");
    it.source.terminate("primary", { kind: "ended" });
    turn("healthy", "degraded");
    turn("degraded", "unreachable");
    expect(await seriesOf(it.registry, "stream_interruptions_total")).toEqual({
      "primary CONNECTIVITY_TIMEOUT": 1,
      "primary STREAM_ENDED": 1,
    });
  });

  test("stream interruptions are counted by provider and code, with the seqNo of the last one", async () => {
    using it = setUp();
    it.source.terminate("primary", { kind: "ended" });
    it.source.terminate("primary", { kind: "errored", code: "CONNECTIVITY_REFUSED" });
    it.source.terminate("backup", { kind: "ended" });
    it.source.terminate("primary", { kind: "ended" });
    // R5.1
    expect(await seriesOf(it.registry, "stream_interruptions_total")).toEqual({
      "primary STREAM_ENDED": 2,
      "primary CONNECTIVITY_REFUSED": 1,
      "backup STREAM_ENDED": 1,
    });
    expect(await seriesOf(it.registry, "stream_interruptions_last_seqno")).toEqual({
      "primary STREAM_ENDED": 4,
      "primary CONNECTIVITY_REFUSED": 2,
      "backup STREAM_ENDED": 3,
    });
  });

  test("counters start at creation, while the state is complete from the first scrape", async () => {
    const clock = new VirtualClock();
    const source = new MeasuredSource(clock);
    source.snapshot(0, { providerId: "primary", members: membersOf("a") });
    source.switchProvider("primary", "backup", "errors");
    using it = setUp({ source, clock });
    expect(await seriesOf(it.registry, "failovers_total")).toEqual({});
    expect(await seriesOf(it.registry, "members")).toEqual({ "": 1 });
    expect(await seriesOf(it.registry, "last_seqno")).toEqual({ "": 2 });
  });
});

describe("guards", () => {
  test("are counted when they begin, and shown while they hold", async () => {
    using it = setUp();
    const hold = {
      guard: "removal_dwell",
      providerId: "backup",
      nodes: 3,
      until: 9_000,
      reason: "scripted",
    } as const;
    it.source.append({ kind: "guard_changed", isHolding: true, ...hold });
    // The end of the hold has changed.
    it.source.append({ kind: "guard_changed", isHolding: true, ...hold, until: 99_000 });
    it.source.set({ holds: [hold] });
    const held = { last_known_good: 0, removal_dwell: 3, mass_removal: 0 };
    expect(await seriesOf(it.registry, "guard_held_members")).toEqual(held);
    it.source.append({ kind: "guard_changed", isHolding: false, ...hold });
    it.source.set({ holds: [] });
    expect(await seriesOf(it.registry, "guard_held_members")).toEqual({ ...held, removal_dwell: 0 });
    it.source.append({ kind: "guard_changed", isHolding: true, ...hold });
    expect(await seriesOf(it.registry, "guard_holds_total")).toEqual({ "removal_dwell backup": 2 });
    expect(await seriesOf(it.registry, "guard_holds_last_seqno")).toEqual({ "removal_dwell backup": 4 });
  });
});

describe("the state", () => {
  test("is that of the log at the scrape", async () => {
    using it = setUp();
    it.source.snapshot(1_000, {
      providerId: "primary",
      members: membersOf("a", "b", "c"),
      blockedNodes: ["a", "b"],
      skipped: { count: 7, reasons: [] },
    });
    it.source.terminate("primary", { kind: "ended" });
    it.source.set({ status: "degraded", isStale: true, restoringNodes: ["b"] });
    await it.clock.advance(2_500);
    const value = async (name: string) => (await seriesOf(it.registry, name))[""];
    expect(await value("last_seqno")).toBe(2);
    expect(await value("snapshot_seqno")).toBe(1);
    expect(await value("members")).toBe(3);
    expect(await value("blocked_nodes")).toBe(2);
    expect(await value("restoring_nodes")).toBe(1);
    expect(await value("skipped_entries")).toBe(7);
    expect(await value("snapshot_age_seconds")).toBe(3.5);
    expect(await value("snapshot_stale")).toBe(1);
    expect(await seriesOf(it.registry, "epoch_info")).toEqual({ "epoch-1": 1 });
    expect(await seriesOf(it.registry, "status")).toEqual({
      starting: 0,
      ready: 0,
      degraded: 1,
      empty: 0,
      unavailable: 0,
      draining: 0,
      stopped: 0,
    });
    it.source.set({ status: "ready", isStale: false });
    expect(await seriesOf(it.registry, "status")).toMatchObject({ degraded: 0, ready: 1 });
    expect(await value("snapshot_stale")).toBe(0);
  });

  test("has no age before the first snapshot", async () => {
    using it = setUp();
    expect(await seriesOf(it.registry, "snapshot_age_seconds")).toEqual({});
    expect(await seriesOf(it.registry, "members")).toEqual({ "": 0 });
    expect(await seriesOf(it.registry, "status")).toMatchObject({ starting: 1 });
  });

  test("has health, last update, consecutive errors and role of every provider", async () => {
    let reports = [healthy, failing];
    using it = setUp({ providerHealth: () => reports });
    // R4.5
    expect(await seriesOf(it.registry, "provider_health")).toEqual({
      "primary idle": 0,
      "primary connecting": 0,
      "primary healthy": 1,
      "primary degraded": 0,
      "primary unreachable": 0,
      "primary disabled": 0,
      "backup idle": 0,
      "backup connecting": 0,
      "backup healthy": 0,
      "backup degraded": 0,
      "backup unreachable": 1,
      "backup disabled": 0,
    });
    expect(await seriesOf(it.registry, "provider_last_update_timestamp_seconds")).toEqual({ primary: 1.5 });
    expect(await seriesOf(it.registry, "provider_active")).toEqual({ primary: 1, backup: 0 });
    expect(await seriesOf(it.registry, "provider_consecutive_errors")).toEqual({ primary: 0, backup: 4 });
    reports = [{ ...failing, health: "healthy", isActive: true, errors: 0, lastUpdateAt: 9_000 }];
    expect(Object.keys(await seriesOf(it.registry, "provider_health"))).toHaveLength(6);
    expect(await seriesOf(it.registry, "provider_active")).toEqual({ backup: 1 });
    expect(await seriesOf(it.registry, "provider_last_update_timestamp_seconds")).toEqual({ backup: 9 });
  });
});

describe("remote nodes", () => {
  test("are counted by state, and those that are not up have a series each", async () => {
    let reports = nodesOf("up", "degraded", "up", "down", "up");
    using it = setUp({ remoteNodes: () => reports });
    // R4.5
    expect(await seriesOf(it.registry, "remote_nodes")).toEqual({ up: 3, degraded: 1, down: 1 });
    expect(await seriesOf(it.registry, "remote_node_state")).toEqual({ "n3 down": 1, "n1 degraded": 1 });
    expect(await seriesOf(it.registry, "remote_node_last_update_timestamp_seconds")).toEqual({
      n3: 4,
      n1: 2,
    });
    reports = nodesOf("up", "up");
    expect(await seriesOf(it.registry, "remote_nodes")).toEqual({ up: 2, degraded: 0, down: 0 });
    expect(await seriesOf(it.registry, "remote_node_state")).toEqual({});
    expect(await seriesOf(it.registry, "remote_node_last_update_timestamp_seconds")).toEqual({});
  });

  test("are all counted, but a limited number has series, down before degraded", async () => {
    const states: RemoteNodeState[] = Array.from({ length: 5_000 }, (_, i) =>
      i % 1_000 ? "degraded" : "down",
    );
    using it = setUp({ remoteNodes: () => nodesOf(...states), maxNodeSeries: 7 });
    expect(await seriesOf(it.registry, "remote_nodes")).toEqual({ up: 0, degraded: 4_995, down: 5 });
    expect(await seriesOf(it.registry, "remote_node_state")).toEqual({
      "n0 down": 1,
      "n1000 down": 1,
      "n2000 down": 1,
      "n3000 down": 1,
      "n4000 down": 1,
      "n1 degraded": 1,
      "n2 degraded": 1,
    });
    expect(
      Object.keys(await seriesOf(it.registry, "remote_node_last_update_timestamp_seconds")),
    ).toHaveLength(7);
    using byDefault = setUp({ remoteNodes: () => nodesOf(...states) });
    expect(Object.keys(await seriesOf(byDefault.registry, "remote_node_state"))).toHaveLength(200);
    using none = setUp({ remoteNodes: () => nodesOf(...states), maxNodeSeries: 0 });
    expect(await seriesOf(none.registry, "remote_node_state")).toEqual({});
  });

  test("are read in one pass per scrape that yields to the event loop, also when scrapes overlap", async () => {
    let passes = 0;
    let yields = 0;
    const clock = Object.assign(new VirtualClock(), { yield: () => (yields++, systemClock.yield()) });
    const remoteNodes = function* (): Generator<RemoteNodeReport> {
      passes++;
      yield* nodesOf(...Array.from({ length: 10_000 }, () => "up" as const));
    };
    using it = setUp({ remoteNodes, clock });
    const texts = await Promise.all([it.registry.metrics(), it.registry.metrics()]);
    for (const text of texts)
      expect(text).toContain('holdfast_remote_nodes{topology="default",state="up"} 10000');
    expect(passes).toBe(1);
    expect(yields).toBeGreaterThanOrEqual(10);
    await it.registry.metrics();
    expect(passes).toBe(2);
  });

  test("that cannot be read fail the scrape, but not the next one", async () => {
    let isBroken = true;
    const remoteNodes = () => {
      if (isBroken) throw new Error("broken");
      return nodesOf("up");
    };
    using it = setUp({ remoteNodes });
    await expect(it.registry.metrics()).rejects.toThrow("broken");
    isBroken = false;
    expect(await seriesOf(it.registry, "remote_nodes")).toMatchObject({ up: 1 });
  });
});

describe("the event loop's lag", () => {
  test("shows a pause at the next scrape, and not at the one after", async () => {
    using it = setUp();
    const lag = async () => (await seriesOf(it.registry, "event_loop_lag_max_seconds"))[""]!;
    expect(await lag()).toBeGreaterThanOrEqual(0);
    await sleep(30, { clock: systemClock });
    const end = systemClock.monotonic() + 150;
    while (systemClock.monotonic() < end);
    await sleep(15, { clock: systemClock });
    expect(await lag()).toBeGreaterThan(0.1);
    expect(await lag()).toBe(0);
    const p50 = (await seriesOf(it.registry, "event_loop_lag_p50_seconds"))[""]!;
    expect(p50).toBe(0);
  });
});

describe("the registry", () => {
  test("is only the given one, never prom-client's global one", async () => {
    using it = setUp();
    await it.registry.metrics();
    expect(register.getMetricsAsArray()).toEqual([]);
  });

  test("of each service is separate, also within one process", async () => {
    using one = setUp();
    using other = setUp();
    one.source.switchProvider("a", "b", "errors");
    expect(await seriesOf(one.registry, "failovers_total")).toEqual({ "a b errors": 1 });
    expect(await seriesOf(other.registry, "failovers_total")).toEqual({});
  });

  test("takes one ProvisioningMetrics only, and keeps what it has when a second is refused", async () => {
    using it = setUp();
    const names = it.registry.getMetricsAsArray().map(({ name }) => name);
    expect(() => setUp({ registry: it.registry, source: it.source })).toThrow(
      expect.objectContaining({
        code: "VALIDATION_DUPLICATE_ID",
        message: expect.stringContaining("each ProvisioningMetrics needs a separate registry"),
      }),
    );
    expect(it.registry.getMetricsAsArray().map(({ name }) => name)).toEqual(names);
    expect(it.source.listeners.size).toBe(1);
  });

  test("is left as it was when any of the names is taken", () => {
    const registry = new Registry();
    const theirs = new Gauge({
      name: "holdfast_event_loop_lag_max_seconds",
      help: "x",
      registers: [registry],
    });
    const clock = new VirtualClock();
    const source = new MeasuredSource(clock);
    expect(() => setUp({ registry, source, clock })).toThrow("VALIDATION_DUPLICATE_ID");
    expect(registry.getMetricsAsArray()).toEqual([theirs]);
    expect(source.listeners.size).toBe(0);
  });

  test("is empty again after disposal, without listeners, and can be used for a new instance", async () => {
    const it = setUp();
    const theirs = new Gauge({ name: "theirs", help: "x", registers: [it.registry] });
    it.metrics[Symbol.dispose]();
    it.metrics[Symbol.dispose]();
    expect(it.registry.getMetricsAsArray()).toEqual([theirs]);
    expect(it.source.listeners.size).toBe(0);
    using again = setUp({ registry: it.registry });
    it.metrics[Symbol.dispose]();
    expect(await seriesOf(again.registry, "members")).toEqual({ "": 0 });
  });

  test("that was cleared and reused is not changed by the first instance's disposal", async () => {
    const it = setUp();
    it.registry.clear();
    using other = setUp({ registry: it.registry });
    it.metrics[Symbol.dispose]();
    expect(await seriesOf(other.registry, "members")).toEqual({ "": 0 });
  });

  test("may be an OpenMetrics registry", async () => {
    const registry = new Registry<OpenMetricsContentType>();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const it = setUp({ registry });
    it.source.switchProvider("a", "b", "errors");
    const text = await registry.metrics();
    expect(text).toContain("# TYPE holdfast_failovers counter\nholdfast_failovers_total{");
    expect(text.endsWith("# EOF\n")).toBe(true);
    it.metrics[Symbol.dispose]();
    expect(registry.getMetricsAsArray()).toEqual([]);
  });
});

/** A scrape of every metric, with at least one series each, and names that need escaping. */
function fullScrape() {
  const odd = 'n"\\\n';
  const it = setUp({
    providerHealth: () => [healthy],
    remoteNodes: () => [{ nodeId: odd, state: "down", lastUpdateAt: 5 }],
    ports: () => [
      { port: "remoting", isBehind: false, seqNo: 1, waiting: 0, parked: 0, failures: 0, overdue: 0 },
    ],
  });
  it.source.snapshot(10, { providerId: "primary", members: membersOf("a") });
  it.source.switchProvider("primary", "backup", "errors");
  it.source.terminate("primary", { kind: "ended" });
  const hold = {
    guard: "mass_removal",
    providerId: "backup",
    nodes: 3,
    until: 9_000,
    reason: "scripted",
  } as const;
  it.source.append({ kind: "guard_changed", isHolding: true, ...hold });
  return Object.assign(it, { odd });
}

// R7.1
describe("several topologies", () => {
  test("have separate series in the same metrics, also for the same providers", async () => {
    using it = setUp();
    const billing = new MeasuredSource(it.clock);
    it.metrics.add({ topology: "billing", source: billing, providerHealth: () => [failing] });
    it.source.snapshot(1, { providerId: "primary", members: membersOf("a", "b") });
    billing.switchProvider("primary", "backup", "errors");
    expect(await seriesOf(it.registry, "members")).toEqual({ "": 2 });
    expect(await seriesOf(it.registry, "members", "billing")).toEqual({ "": 0 });
    expect(await seriesOf(it.registry, "failovers_total")).toEqual({});
    expect(await seriesOf(it.registry, "failovers_total", "billing")).toEqual({ "primary backup errors": 1 });
    expect(await seriesOf(it.registry, "provider_active", "billing")).toEqual({ backup: 0 });
  });

  test("a topology that is removed leaves no series, and starts again at 0", async () => {
    using it = setUp();
    const billing = new MeasuredSource(it.clock);
    const measured: MeasuredTopology = {
      topology: "billing",
      source: billing,
      providerHealth: () => [failing],
      remoteNodes: () => nodesOf("down"),
    };
    const added = it.metrics.add(measured);
    billing.snapshot(1, { providerId: "primary", members: membersOf("a") });
    billing.switchProvider("primary", "backup", "errors");
    expect(await it.registry.metrics()).toContain('topology="billing"');
    added[Symbol.dispose]();
    billing.switchProvider("backup", "primary", "recovered");
    expect(await it.registry.metrics()).not.toContain('topology="billing"');
    it.metrics.add(measured);
    expect(await seriesOf(it.registry, "failovers_total", "billing")).toEqual({});
    expect(await seriesOf(it.registry, "members", "billing")).toEqual({ "": 1 });
  });

  test("a topology that is removed during a scrape leaves no series", async () => {
    using it = setUp();
    const states = Array.from({ length: 5_000 }, (): RemoteNodeState => "up");
    const added = it.metrics.add({
      topology: "billing",
      source: new MeasuredSource(it.clock),
      providerHealth: () => [failing],
      remoteNodes: () => nodesOf(...states),
    });
    const scraped = it.registry.metrics();
    await Promise.resolve();
    added[Symbol.dispose]();
    await scraped;
    expect(await it.registry.metrics()).not.toContain('topology="billing"');
  });

  test("share the limit of series for remote nodes", async () => {
    const reports = nodesOf("down", "down", "down");
    using it = setUp({ remoteNodes: () => reports, maxNodeSeries: 4 });
    const source = new MeasuredSource(it.clock);
    it.metrics.add({ topology: "billing", source, providerHealth: () => [], remoteNodes: () => reports });
    expect(Object.keys(await seriesOf(it.registry, "remote_node_state"))).toHaveLength(3);
    expect(Object.keys(await seriesOf(it.registry, "remote_node_state", "billing"))).toHaveLength(1);
    expect(await seriesOf(it.registry, "remote_nodes", "billing")).toMatchObject({ down: 3 });
  });

  test("cannot have the same name", () => {
    using it = setUp();
    const { source } = it;
    expect(() => it.metrics.add({ source, providerHealth: () => [] })).toThrow(
      '[VALIDATION_DUPLICATE_ID] the topology "default" is already measured',
    );
  });
});

describe("the text", () => {
  test("is well formed and follows the naming rules of Prometheus", async () => {
    using it = fullScrape();
    const families = await scrape(it.registry);
    for (const { name, type, help, samples } of families.values()) {
      expect(name).toMatch(/^holdfast_[a-z0-9]+(_[a-z0-9]+)*$/);
      expect(name.endsWith("_total")).toBe(type === "counter");
      expect(name).not.toMatch(/_(ms|millis|milliseconds|count|sum|bucket|gauge|counter|histogram)$/);
      expect(help).toMatch(/\.$/);
      expect(samples.length).toBeGreaterThan(0);
      const keys = samples.map((sample) => JSON.stringify([sample.name, sample.labels]));
      expect(new Set(keys).size).toBe(keys.length);
      expect(samples.every(({ value }) => value >= 0 && Number.isFinite(value))).toBe(true);
    }
    expect(families.get("holdfast_remote_node_state")?.samples[0]?.labels["node"]).toBe(it.odd);
    const latency = families.get("holdfast_snapshot_latency_seconds")!.samples;
    const buckets = latency.filter(({ name }) => name.endsWith("_bucket"));
    expect(buckets.at(-1)?.labels["le"]).toBe("+Inf");
    expect(buckets.at(-1)?.value).toBe(latency.find(({ name }) => name.endsWith("_count"))?.value);
    expect(buckets.every(({ value }, i) => i === 0 || value >= buckets[i - 1]!.value)).toBe(true);
  });

  test("has exactly the metrics, types, labels and meanings of the README", async () => {
    using it = fullScrape();
    const families = await scrape(it.registry);
    const real = [...families.values()].map(({ name, type, help, samples }) => {
      const labels = Object.keys(samples[0]!.labels).filter((label) => label !== "le");
      return [name, type, labels.join(", "), help];
    });
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const rows = readme
      .split("\n")
      .filter((line) => line.startsWith("| `holdfast_"))
      .map((line) => line.split("|").slice(1, -1))
      .map((cells) => cells.map((cell) => cell.trim().replaceAll("`", "")));
    expect(rows).toEqual(real);
  });
});

describe("the consumers behind the ports", () => {
  const ports: readonly PortReport[] = [
    {
      port: "partition",
      isBehind: true,
      seqNo: 3,
      waiting: 2,
      parked: 1,
      failures: 7,
      overdue: 1,
      inProgress: { call: "notify", seqNo: 4, forMs: 12_500 },
    },
    { port: "remoting", isBehind: false, seqNo: 5, waiting: 0, parked: 0, failures: 0, overdue: 0 },
  ];

  test.each([
    ["port_behind", { partition: 1, remoting: 0 }],
    ["port_acknowledged_seqno", { partition: 3, remoting: 5 }],
    ["port_waiting_notices", { partition: 2, remoting: 0 }],
    ["port_parked_notices", { partition: 1, remoting: 0 }],
    ["port_failed_calls", { partition: 7, remoting: 0 }],
    ["port_overdue_calls", { partition: 1, remoting: 0 }],
    ["port_call_in_progress_seconds", { partition: 12.5, remoting: 0 }],
  ])("%s", async (name, series) => {
    // R3.6
    using it = setUp({ ports: () => ports });
    expect(await seriesOf(it.registry, name)).toEqual(series);
  });
});

test("only the last few of the providers that reloads removed keep series", async () => {
  // F8
  let configured: readonly ProviderHealthReport[] = [];
  using it = setUp({ providerHealth: () => configured });
  for (let i = 0; i < 200; i++) {
    const [id, before] = [`p${i}`, `p${i - 1}`];
    configured = [healthy, { ...healthy, providerId: id }];
    it.source.snapshot(1, { providerId: id, members: membersOf(`m${i}`) });
    it.source.switchProvider("primary", id, "recovered");
    it.source.switchProvider(before, id, "removed_by_reload");
    it.source.terminate(id, { kind: "ended" });
    it.source.terminate(id, { kind: "errored", code: "STREAM_SILENT" });
  }
  const text = await it.registry.metrics();
  const named = new Set([...text.matchAll(/"(p\d+)"/g)].map(([, id]) => id));
  expect(named.size).toBeLessThan(25);
  expect(named).toContain("p199");
  const perProvider = (await scrape(it.registry)).get("holdfast_failovers_total")!.samples.length;
  expect(perProvider).toBeLessThan(50);
});

test("a real failover is counted, timed and linked to its sequence number in the log", async () => {
  const clock = new VirtualClock();
  const random = createSeededRandom(1);
  const members = [{ id: "a", host: "h", port: 1 }];
  const primary = new MemoryProvider({ id: "primary", priority: 2, clock, members });
  const backup = new MemoryProvider({ id: "backup", priority: 1, clock, members });
  await using failover = new Failover({ providers: [primary, backup], clock, random });
  await using hub = new WatchHub({ source: failover, clock, random });
  const registry = new Registry();
  using metrics = new ProvisioningMetrics({ registry, clock });
  metrics.add({ source: hub, providerHealth: () => failover.health() });
  hub.start();
  await clock.settle();
  const changes: number[] = [];
  hub.onEvent((event) => event.kind === "provider_changed" && changes.push(event.seqNo));
  primary.refuse();
  primary.end();
  await clock.settle();
  // R5.1
  expect(changes).toHaveLength(1);
  expect(await seriesOf(registry, "failovers_total")).toEqual({ "primary backup stream_ended": 1 });
  expect(await seriesOf(registry, "failovers_last_seqno")).toEqual({
    "primary backup stream_ended": changes[0],
  });
  expect(await seriesOf(registry, "stream_interruptions_total")).toMatchObject({ "primary STREAM_ENDED": 1 });
  // R4.5
  expect(await seriesOf(registry, "provider_active")).toEqual({ primary: 0, backup: 1 });
  expect(await seriesOf(registry, "provider_health")).toMatchObject({
    "backup healthy": 1,
    "primary healthy": 0,
  });
  expect(await seriesOf(registry, "last_seqno")).toEqual({ "": hub.state.seqNo });
  expect(await seriesOf(registry, "members")).toEqual({ "": 1 });
});
