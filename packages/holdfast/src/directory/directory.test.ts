import {
  ProvisioningError,
  sleep,
  type GenerationStore,
  type ProviderStore,
  type SnapshotStore,
} from "@holdfast/core";
import { memory } from "@holdfast/provider-memory";
import { createSeededRandom, MemoryProviderStore, VirtualClock } from "@holdfast/testing";
import { Registry } from "prom-client";
import { describe, expect, test } from "vitest";
import { connect } from "../connect.ts";
import type { ConnectDirectoryOptions } from "../connect-directory.ts";
import { Directory } from "./directory.ts";
import type { DirectoryOptions } from "./directory-options.ts";
import type { DirectoryChange } from "./directory-change.ts";

const node = (id: string) => ({ id, host: `${id}.test`, port: 7_000 });
const listing = (...ids: string[]) => memory({ members: ids.map(node) });

async function connected(options: ConnectDirectoryOptions) {
  const clock = new VirtualClock();
  const warnings: string[] = [];
  const onWarning: ConnectDirectoryOptions["onWarning"] = ({ topology, code }) =>
    warnings.push(`${topology} ${code}`);
  const random = createSeededRandom(1);
  const directory = await clock.until(connect({ clock, random, onWarning, ...options }), 60_000);
  return { clock, directory, warnings };
}

async function closed({ clock, directory }: { clock: VirtualClock; directory: Directory }) {
  const report = await clock.until(directory.close(), 60_000);
  await clock.settle();
  expect(clock.pendingTimers).toBe(0);
  return report;
}

const stored = (id: string) => ({ id, kind: "memory", priority: 1, params: { members: [node(id)] } });

function setUp(options: Partial<DirectoryOptions> = {}) {
  const clock = new VirtualClock();
  const directory = new Directory({
    adapters: [memory.createAdapter()],
    clock,
    random: createSeededRandom(1),
    ...options,
  });
  const warnings: string[] = [];
  directory.on("warning", ({ topology, code }) => warnings.push(`${topology} ${code}`));
  return { clock, directory, warnings };
}

/** Fails with `error` until it is repaired. */
class FailingStore extends MemoryProviderStore {
  error: ProvisioningError | undefined;

  override load(): ReturnType<ProviderStore["load"]> {
    return this.error === undefined ? super.load() : Promise.reject(this.error);
  }
}

// R7.1, R7.3
describe("connect({ topologies })", () => {
  test("gives each topology its own members, status and log", async () => {
    const orders = listing("o1", "o2");
    const { clock, directory } = await connected({
      topologies: { orders: [orders], billing: { providers: [listing("b1")] } },
    });
    await clock.until(directory.ready(), 1_000);
    expect(directory.names()).toEqual(["billing", "orders"]);
    expect([...directory.topology("orders").members()].map(({ id }) => id)).toEqual(["o1", "o2"]);
    const before = directory.topology("billing").state;
    orders.provider.set([]);
    await clock.settle();
    expect(directory.topology("orders").state.status).toBe("empty");
    expect(directory.topology("billing").state).toEqual(before);
    expect(directory.topology("billing")).toMatchObject({
      name: "billing",
      isRequired: true,
      isDiscovered: false,
    });
    await closed({ clock, directory });
    expect(directory.topology("billing").state.status).toBe("stopped");
  });

  test("names every problem of every topology, and leaves nothing behind", async () => {
    const clock = new VirtualClock();
    const connecting = connect({
      clock,
      topologies: {
        orders: [listing("o1"), listing("")],
        "a/b": [listing("b1")],
        billing: { providers: [listing("b1")], health: { timeoutMs: -1 } },
      },
    });
    await expect(clock.until(connecting, 60_000)).rejects.toMatchObject({
      code: "VALIDATION_MALFORMED",
      details: {
        problems: [
          { path: "topologies.orders.providers[1].params.members[0].id" },
          { path: "topologies.orders.providers[1].params.members[0].host" },
          { path: 'topologies["a/b"]' },
          { path: "topologies.billing", expected: expect.stringContaining('"timeoutMs"') },
        ].map((problem) => expect.objectContaining(problem)),
      },
    });
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  });

  test("options of all topologies apply unless a topology has its own", async () => {
    const [orders, billing] = [listing("o1"), listing("b1")];
    const { clock, directory } = await connected({
      health: { timeoutMs: 3_000 },
      topologies: { orders: [orders], billing: { providers: [billing], health: { timeoutMs: 90_000 } } },
    });
    await clock.until(directory.ready(), 1_000);
    orders.provider.hang();
    billing.provider.hang();
    await clock.advance(60_000);
    const statusOf = (name: string) => directory.topology(name).state.status;
    expect(["orders", "billing"].map(statusOf)).toEqual(["unavailable", "ready"]);
    await closed({ clock, directory });
  });

  test("an unknown name is an error that lists the known ones", async () => {
    const { clock, directory } = await connected({ topologies: { orders: [listing("o1")] } });
    expect(directory.find("billing")).toBeUndefined();
    expect(() => directory.topology("billing")).toThrow(
      '[TOPOLOGY_UNKNOWN] no topology has this name; there are "orders"',
    );
    await closed({ clock, directory });
  });
});

describe("a topology that cannot be started", () => {
  const damaged = new ProvisioningError("STORE_CORRUPTED", '"billing.jsonl" is damaged in line 1');

  test("does not affect the others, and is started once its store is repaired", async () => {
    const store = new FailingStore();
    await store.save([stored("b1")]);
    store.error = damaged;
    const storesFor = (name: string) => (name === "billing" ? { providers: store } : {});
    const { clock, directory, warnings } = setUp({ storesFor });
    const topologies = [{ name: "orders", providers: [stored("o1")] }, { name: "billing" }];
    await clock.until(directory.start({ topologies }), 60_000);
    expect(directory.topology("orders").members().size).toBe(1);
    expect(directory.topology("billing").state).toMatchObject({
      status: "starting",
      statusReason: 'not started yet: "billing.jsonl" is damaged in line 1',
      statusCause: { code: "STORE_CORRUPTED" },
    });
    await clock.advance(300_000);
    expect(warnings).toEqual(["billing STORE_CORRUPTED"]);
    store.error = undefined;
    await clock.until(directory.ready(), 60_000);
    expect(directory.topology("billing").members().size).toBe(1);
    await closed({ clock, directory });
  });

  test("rejects the start when it is the only one, with its error", async () => {
    const store = new FailingStore();
    store.error = damaged;
    const { clock, directory } = setUp({ storesFor: () => ({ providers: store }) });
    await expect(directory.start({ topologies: [{ name: "billing" }] })).rejects.toBe(damaged);
    await closed({ clock, directory });
  });

  test("is not waited for when it hangs", async () => {
    const hanging: ProviderStore = { load: () => new Promise(() => {}), save: async () => {} };
    const storesFor = (name: string) => (name === "billing" ? { providers: hanging } : {});
    const { clock, directory } = setUp({ storesFor });
    const topologies = [{ name: "billing" }, { name: "orders", providers: [stored("o1")] }];
    await clock.until(directory.start({ topologies }), 15_000);
    expect(directory.topology("orders").members().size).toBe(1);
    expect(directory.topology("billing").state.status).toBe("starting");
    await closed({ clock, directory });
  });
});

describe("Directory", () => {
  test("is ready when all required topologies are", async () => {
    const late = listing();
    const { clock, directory } = await connected({
      topologies: {
        orders: [listing("o1")],
        billing: [late],
        reports: { providers: [listing()], required: false },
      },
    });
    const ready = directory.ready();
    let isReady = false;
    void ready.then(() => (isReady = true));
    await clock.advance(1_000);
    expect(isReady).toBe(false);
    late.provider.set([node("b1")]);
    await clock.until(ready, 1_000);
    await closed({ clock, directory });
  });

  test("a wait for `ready` ends with its signal, with the close, and when a required topology is closed by its owner", async () => {
    const { clock, directory } = await connected({
      topologies: { orders: [listing()], billing: [listing("b1")] },
    });
    const abort = new AbortController();
    const aborted = directory.ready({ signal: abort.signal }).catch((error: unknown) => error);
    await clock.settle();
    abort.abort();
    expect(await aborted).toMatchObject({ code: "LIFECYCLE_ABORTED" });
    await clock.until(directory.topology("orders").close(), 10_000);
    await expect(directory.ready()).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
    await closed({ clock, directory });
    await expect(directory.ready()).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
  });

  test("`changes` starts with what exists and ends at the close", async () => {
    const { clock, directory } = await connected({
      topologies: { orders: [listing("o1")], billing: [listing("b1")] },
    });
    const seen: DirectoryChange[] = [];
    const reading = (async () => {
      for await (const change of directory.changes()) seen.push(change);
    })();
    await clock.settle();
    expect(seen).toEqual([
      { type: "appeared", name: "orders" },
      { type: "appeared", name: "billing" },
    ]);
    await closed({ clock, directory });
    await reading;
  });

  test("an abort of the start closes it", async () => {
    const abort = new AbortController();
    const hanging: ProviderStore = { load: () => new Promise(() => {}), save: async () => {} };
    const { clock, directory } = setUp({ storesFor: () => ({ providers: hanging }) });
    const starting = directory.start({ topologies: [{ name: "orders" }] }, { signal: abort.signal });
    const outcome = starting.catch((error: unknown) => error);
    await clock.settle();
    abort.abort();
    expect(await outcome).toMatchObject({ code: "LIFECYCLE_ABORTED" });
    await closed({ clock, directory });
    await expect(directory.start({ topologies: [] })).rejects.toMatchObject({ code: "LIFECYCLE_STOPPED" });
  });

  test("all topologies share one generation, and one that starts again gets a greater one", async () => {
    let calls = 0;
    const generation: GenerationStore = { next: ({ atLeast }) => Promise.resolve(atLeast + ++calls) };
    const { clock, directory } = setUp({ generation });
    const topologies = ["a", "b", "c"].map((name) => ({ name, providers: [stored(name)] }));
    await clock.until(directory.start({ topologies }), 60_000);
    expect(calls).toBe(1);
    const epochs = topologies.map(({ name }) => directory.topology(name).state.epoch.slice(0, 9));
    expect(new Set(epochs).size).toBe(1);
    await closed({ clock, directory });
  });

  test("reports what was unfinished at the end, with the name of the topology", async () => {
    const { clock, directory } = await connected({
      topologies: {
        orders: {
          providers: [listing("o1")],
          ports: { remoting: { applyEvents: () => new Promise(() => {}), notify: () => undefined } },
        },
        billing: [listing("b1")],
      },
    });
    await clock.settle();
    const { unfinished } = await closed({ clock, directory });
    expect(unfinished[0]).toBe("orders: remoting: tick 3 (in remoting.applyEvents)");
    expect(unfinished.every((what) => what.startsWith("orders: "))).toBe(true);
  });
});

test("all topologies have their metrics in one registry, until they are closed", async () => {
  const metricsRegistry = new Registry();
  const clock = new VirtualClock();
  const topologies = { orders: [listing("o1")], billing: [listing("b1", "b2")] };
  // Loading the metrics takes real time, during which the clock must not advance.
  const directory = await connect({ clock, topologies, metricsRegistry });
  await directory.ready();
  const text = await metricsRegistry.metrics();
  expect(text).toContain('holdfast_members{topology="orders"} 1\n');
  expect(text).toContain('holdfast_members{topology="billing"} 2\n');
  await closed({ clock, directory });
  expect(metricsRegistry.getMetricsAsArray()).toEqual([]);
});

test("few topologies save their last known good snapshots at the same time", async () => {
  const virtual = new VirtualClock();
  let running = 0;
  let most = 0;
  let saves = 0;
  const snapshots: SnapshotStore = {
    load: () => Promise.resolve(undefined),
    async save() {
      most = Math.max(most, ++running);
      saves++;
      await sleep(100, { clock: virtual });
      running--;
    },
  };
  const { directory } = setUp({ clock: virtual, storesFor: () => ({ snapshots }) });
  const topologies = Array.from({ length: 30 }, (_, i) => ({ name: `t${i}`, providers: [stored(`m${i}`)] }));
  await virtual.until(directory.start({ topologies }), 60_000);
  await virtual.advance(11_000);
  expect([saves, most]).toEqual([30, 8]);
  await closed({ clock: virtual, directory });
});
