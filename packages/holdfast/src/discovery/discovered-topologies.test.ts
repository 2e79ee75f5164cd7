import { ProvisioningError } from "@holdfast/core";
import { memory } from "@holdfast/provider-memory";
import {
  createSeededRandom,
  MemoryDiscoveryStore,
  MemorySnapshotStore,
  VirtualClock,
} from "@holdfast/testing";
import { describe, expect, test } from "vitest";
import { ScriptedCatalog } from "../../test/scripted-catalog.ts";
import { Directory } from "../directory/directory.ts";
import type { DirectoryOptions } from "../directory/directory-options.ts";
import type { DirectoryDefinition } from "../directory/directory-definition.ts";
import type { TopologyDefinition } from "../directory/topology-definition.ts";
import type { DirectoryWarning } from "../directory/directory-warning.ts";
import type { DiscoveryDefinition } from "./discovery-definition.ts";

const provider = (member: string) => ({
  id: "m",
  kind: "memory",
  priority: 1,
  params: { members: [{ id: member, host: `${member}.test`, port: 80 }] },
});

const discovery = (change: Partial<DiscoveryDefinition> = {}): DiscoveryDefinition => ({
  sources: [{ kind: "catalog", params: { source: "A" } }],
  providers: [provider("{service}-1")],
  ...change,
});

const BOTH: Partial<DiscoveryDefinition> = {
  sources: ["A", "B"].map((source) => ({ kind: "catalog", params: { source } })),
};

interface SetUpOptions extends Partial<DirectoryOptions> {
  readonly discoveries?: readonly DiscoveryDefinition[];
  readonly topologies?: readonly TopologyDefinition[];
  /** Called before the start. */
  readonly prepare?: (catalog: ScriptedCatalog) => void;
  readonly catalog?: ScriptedCatalog;
}

async function setUp({
  discoveries = [discovery()],
  topologies = [],
  prepare,
  catalog = new ScriptedCatalog(),
  ...options
}: SetUpOptions = {}) {
  const clock = new VirtualClock();
  prepare?.(catalog);
  const adapter = memory.createAdapter();
  const directory = new Directory({
    adapters: [adapter, catalog.createAdapter()],
    clock,
    random: createSeededRandom(1),
    ...options,
  });
  const warnings: DirectoryWarning[] = [];
  directory.on("warning", (warning) => warnings.push(warning));
  const changes: string[] = [];
  directory.onChange(({ type, name }) => changes.push(`${type} ${name}`));
  await clock.until(directory.start({ topologies, discoveries }), 60_000);
  await clock.advance(10);
  const end = async () => {
    await clock.until(directory.close(), 60_000);
    await clock.settle();
    expect([clock.pendingTimers, catalog.openWatches]).toEqual([0, 0]);
  };
  const reload = (definition: Partial<DirectoryDefinition>) =>
    clock.until(directory.reload({ topologies, discoveries, ...definition }), 60_000);
  const names = () => directory.names().join(" ");
  return { clock, catalog, directory, warnings, changes, names, reload, end };
}

const listBoth = (catalog: ScriptedCatalog) => {
  catalog.list("A", "orders");
  catalog.list("B", "billing");
};

const ordersIn = (namespace: string) => [{ name: "orders", values: { namespace } }];

const isHanging = (name: string) => Number(name.slice(1)) < 25;

const codesOf = (warnings: readonly DirectoryWarning[]) => warnings.map(({ code }) => code);

// R7.2
describe("discovered topologies", () => {
  test("appear and disappear without a restart", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.list("A", "orders billing reports") });
    expect(it.names()).toBe("billing orders reports");
    const orders = it.directory.topology("orders");
    await it.clock.until(orders.ready(), 1_000);
    expect([...orders.members()].map(({ host }) => host)).toEqual(["orders-1.test"]);
    expect([orders.isDiscovered, orders.isRequired]).toEqual([true, false]);

    it.catalog.list("A", "orders billing reports search");
    const search = await it.clock.until(it.directory.whenPresent("search"), 1_000);
    await it.clock.until(search.ready(), 1_000);

    it.catalog.list("A", "orders billing search");
    await it.clock.advance(59_000);
    expect(it.names()).toBe("billing orders reports search");
    await it.clock.advance(2_000);
    expect(it.names()).toBe("billing orders search");
    expect(it.directory.topology("orders")).toBe(orders);
    expect(it.changes.slice(3)).toEqual(["appeared search", "disappeared reports"]);
    await it.end();
  });

  test("stay when the backend fails, is silent, or answers with an error, and keep their log", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.list("A", "orders billing") });
    const { epoch } = it.directory.topology("orders").state;
    it.catalog.fail("A");
    await it.clock.advance(600_000);
    it.catalog.list("A", "orders billing");
    await it.clock.advance(60_000);
    it.catalog.silence("A");
    await it.clock.advance(600_000);
    expect([it.names(), it.directory.topology("orders").state.epoch]).toEqual(["billing orders", epoch]);
    expect(codesOf(it.warnings)).toEqual(["CONNECTIVITY_REFUSED", "STREAM_SILENT"]);
    expect(it.warnings[0]?.message).toBe(
      'the services of "catalog" (discover[0].from[0]) cannot be listed; what it listed last stays: 10.0.0.1:80 refused',
    );
    await it.end();
  });

  test("a source that fails is tried again with a growing backoff", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.fail("A") });
    await it.clock.advance(600_000);
    // With full jitter, the mean of the longest backoff is 15 s.
    expect(it.catalog.opened("A")).toBeGreaterThan(20);
    expect(it.catalog.opened("A")).toBeLessThan(70);
    await it.end();
  });

  test("are the union of what several sources list", async () => {
    const it = await setUp({
      discoveries: [discovery(BOTH)],
      prepare: (catalog) => {
        catalog.list("A", "orders billing");
        catalog.list("B", "orders reports");
      },
    });
    expect(it.names()).toBe("billing orders reports");
    it.catalog.list("A", "");
    await it.clock.advance(600_000);
    expect(it.names()).toBe("billing orders reports");
    expect(it.warnings).toMatchObject([
      { code: "TOPOLOGY_REMOVAL_HELD", details: { hold: "contradiction", names: ["billing"] } },
    ]);
    await it.end();
  });

  test("that vanish together are kept for longer, with one warning that names some of them", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.list("A", "a b c d") });
    it.catalog.list("A", "d");
    await it.clock.advance(299_000);
    expect(it.names()).toBe("a b c d");
    expect(it.warnings).toMatchObject([
      { code: "TOPOLOGY_REMOVAL_HELD", details: { hold: "mass_removal", count: 3, names: ["a", "b", "c"] } },
    ]);
    await it.clock.advance(2_000);
    expect(it.names()).toBe("d");
    await it.end();
  });

  test("that a backend without its history does not list are kept for longer", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.list("A", "a b c d") });
    it.catalog.list("A", "b c d", true);
    await it.clock.advance(299_000);
    expect(it.names()).toBe("a b c d");
    expect(it.warnings).toMatchObject([
      { code: "TOPOLOGY_REMOVAL_HELD", details: { hold: "reset", names: ["a"] } },
    ]);
    await it.clock.advance(2_000);
    expect(it.names()).toBe("b c d");
    await it.end();
  });

  test("have the settings of their discovery", async () => {
    const settings = { removeAfterMs: 1_000, massRemoval: false, settings: { required: true } } as const;
    const it = await setUp({
      discoveries: [discovery(settings)],
      prepare: (catalog) => catalog.list("A", "a"),
    });
    expect(it.directory.topology("a").isRequired).toBe(true);
    it.catalog.list("A", "");
    await it.clock.advance(1_100);
    expect(it.names()).toBe("");
    await it.end();
  });
});

describe("templates", () => {
  test("use the values of a service, and follow a change of them", async () => {
    const it = await setUp({
      discoveries: [discovery({ topology: "x.{service}", providers: [provider("{service}-{namespace}")] })],
      prepare: (catalog) => catalog.list("A", ordersIn("shop")),
    });
    const topology = it.directory.topology("x.orders");
    await it.clock.until(topology.ready(), 1_000);
    expect([...topology.members()].map(({ id }) => id)).toEqual(["orders-shop"]);
    it.catalog.list("A", ordersIn("store"));
    await it.clock.advance(10);
    expect(it.directory.topology("x.orders")).toBe(topology);
    expect([...topology.members()].map(({ id }) => id)).toEqual(["orders-store"]);
    await it.end();
  });

  test("a service that gets no valid name or parameters is named in a warning, and the others are started", async () => {
    const it = await setUp({
      discoveries: [discovery({ topology: "{service}{namespace}" })],
      prepare: (catalog) =>
        catalog.list("A", [
          { name: "a b", values: { namespace: "" } },
          { name: "no-value" },
          { name: "-", values: { namespace: "x" } },
          { name: "orders", values: { namespace: "" } },
          { name: "x".repeat(250), values: { namespace: "" } },
        ]),
    });
    expect(it.names()).toBe("orders");
    expect(
      it.warnings.map(({ code, details }) => `${code} ${String(details?.["service"]).slice(0, 9)}`),
    ).toEqual([
      "VALIDATION_MALFORMED a b",
      "VALIDATION_MALFORMED no-value",
      "VALIDATION_MALFORMED -",
      "VALIDATION_MALFORMED xxxxxxxxx",
    ]);
    it.catalog.list("A", [
      { name: "a b", values: { namespace: "" } },
      { name: "orders", values: { namespace: "" } },
    ]);
    await it.clock.advance(10);
    expect(it.warnings).toHaveLength(4);
    await it.end();
  });

  test("a value that could change the meaning of the text around its placeholder is refused", async () => {
    const it = await setUp({
      // The value that is not safe is not a part of the name.
      discoveries: [discovery({ topology: "{service}", providers: [provider("a-{namespace}")] })],
      prepare: (catalog) =>
        catalog.list("A", [
          { name: "orders", values: { namespace: 'x" or "' } },
          { name: "billing", values: { namespace: "shop" } },
        ]),
    });
    expect(it.names()).toBe("billing");
    expect(it.warnings).toMatchObject([
      { message: expect.stringMatching(/"orders" .* \{namespace\} contains other characters/) },
    ]);
    expect(it.warnings[0]?.message).not.toContain('x"');
    await it.end();
  });

  test("parameters that the adapter refuses for one service do not affect the others", async () => {
    const it = await setUp({
      prepare: (catalog) =>
        catalog.list(
          "A",
          ["orders", "bad..host"].map((name) => ({ name })),
        ),
    });
    expect(it.names()).toBe("orders");
    expect(it.warnings).toMatchObject([
      {
        code: "VALIDATION_MALFORMED",
        message: expect.stringContaining(
          'the service "bad..host" has no topology: the topology "bad..host" is not valid',
        ),
        details: { service: "bad..host" },
      },
    ]);
    await it.end();
  });

  test("a topology keeps running when the new values of its service are not valid", async () => {
    const it = await setUp({
      discoveries: [discovery({ providers: [provider("{service}-{namespace}")] })],
      prepare: (catalog) => catalog.list("A", ordersIn("shop")),
    });
    const topology = it.directory.topology("orders");
    it.catalog.list("A", ordersIn(".."));
    await it.clock.advance(600_000);
    expect(it.directory.topology("orders")).toBe(topology);
    expect([...topology.members()].map(({ id }) => id)).toEqual(["orders-shop"]);
    expect(codesOf(it.warnings)).toEqual(["VALIDATION_MALFORMED"]);
    await it.end();
  });

  test("of two services with one name the first is started, and the other is named", async () => {
    const it = await setUp({
      prepare: (catalog) =>
        catalog.list("A", [
          { name: "orders", values: { namespace: "shop" } },
          { name: "orders", values: { namespace: "test" } },
        ]),
    });
    expect([it.names(), codesOf(it.warnings)]).toEqual(["orders", ["VALIDATION_DUPLICATE_ID"]]);
    await it.end();
  });
});

describe("a configured topology", () => {
  const orders: TopologyDefinition = { name: "orders", providers: [provider("configured")] };

  test("wins over a discovered one with its name, with a warning", async () => {
    const it = await setUp({
      topologies: [orders],
      prepare: (catalog) => catalog.list("A", "orders Billing billing"),
    });
    expect(it.names()).toBe("Billing orders");
    expect(it.directory.topology("orders").isDiscovered).toBe(false);
    expect(it.warnings.map(({ message }) => message)).toEqual([
      'the found topology "orders" (discovery 0) is not started: the configured topology "orders" has its name',
      'the found topology "billing" (discovery 0) is not started: the topology "Billing" of discovery 0 has its name',
    ]);
    await it.end();
  });

  test("replaces a discovered one at a reload, and gives way to it again", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.list("A", "orders billing") });
    const report = await it.reload({ topologies: [orders] });
    await it.clock.advance(10);
    expect(report).toMatchObject({ appeared: [], restarted: ["orders"], disappeared: [] });
    expect(it.directory.topology("orders").isDiscovered).toBe(false);
    expect([...it.directory.topology("orders").members()].map(({ id }) => id)).toEqual(["configured"]);
    await it.reload({ topologies: [] });
    await it.clock.advance(10);
    expect(it.directory.topology("orders").isDiscovered).toBe(true);
    expect(it.names()).toBe("billing orders");
    await it.end();
  });

  test("is not affected when the source of a discovery never answers", async () => {
    const it = await setUp({ topologies: [orders], prepare: (catalog) => catalog.silence("A") });
    expect(it.directory.topology("orders").members().size).toBe(1);
    let isReady = false;
    const ready = it.directory.ready().then(() => (isReady = true));
    await it.clock.advance(60_000);
    expect([isReady, it.directory.isComplete]).toEqual([false, false]);
    it.catalog.list("A", "");
    await it.clock.until(ready, 60_000);
    expect(it.directory.isComplete).toBe(true);
    await it.end();
  });
});

describe("a restart", () => {
  test("starts the known topologies while the backend is down, with their last known good snapshots", async () => {
    const discoveryStore = new MemoryDiscoveryStore();
    const snapshots = new Map<string, MemorySnapshotStore>();
    const storesFor = (name: string) => {
      const store = snapshots.get(name) ?? new MemorySnapshotStore();
      snapshots.set(name, store);
      return { snapshots: store };
    };
    const first = await setUp({
      discoveryStore,
      storesFor,
      prepare: (catalog) => catalog.list("A", "orders billing"),
    });
    await first.clock.advance(20_000);
    await first.end();
    const second = await setUp({
      discoveryStore,
      storesFor,
      prepare: (catalog) => catalog.fail("A"),
    });
    await second.clock.until(second.directory.ready(), 1_000);
    expect(second.names()).toBe("billing orders");
    expect(second.directory.topology("orders").members().size).toBe(1);
    await second.clock.advance(600_000);
    expect(second.names()).toBe("billing orders");
    second.catalog.list("A", "orders");
    await second.clock.advance(59_000);
    expect(second.names()).toBe("billing orders");
    await second.clock.advance(60_000);
    expect(second.names()).toBe("orders");
    await second.end();
    expect(discoveryStore.known.map(({ services }) => services)).toEqual([[{ name: "orders" }]]);
  });

  test("keeps what was held, because it is stored too", async () => {
    const discoveryStore = new MemoryDiscoveryStore();
    const first = await setUp({ discoveryStore, prepare: (catalog) => catalog.list("A", "a b c d") });
    first.catalog.list("A", "", true);
    await first.clock.advance(1_000);
    await first.end();
    const second = await setUp({ discoveryStore, prepare: (catalog) => catalog.list("A", "") });
    await second.clock.advance(200_000);
    expect(second.names()).toBe("a b c d");
    await second.end();
  });

  test("a damaged or hanging store is a warning, and what the backend lists is started", async () => {
    const damaged = new MemoryDiscoveryStore();
    damaged.failure = new ProvisioningError("STORE_CORRUPTED", '"services.jsonl" is damaged in line 1');
    const hanging = new MemoryDiscoveryStore();
    hanging.hangs = true;
    for (const [discoveryStore, code] of [
      [damaged, "STORE_CORRUPTED"],
      [hanging, "STORE_IO"],
    ] as const) {
      const it = await setUp({ discoveryStore, prepare: (catalog) => catalog.list("A", "orders") });
      await it.clock.advance(20_000);
      expect(it.names()).toBe("orders");
      expect(it.warnings[0]?.code).toBe(code);
      await it.end();
    }
  });

  test("a save that fails is reported once and tried again", async () => {
    const discoveryStore = new MemoryDiscoveryStore();
    const it = await setUp({ discoveryStore });
    discoveryStore.failure = new ProvisioningError("STORE_IO", "the disk is full");
    it.catalog.list("A", "orders");
    await it.clock.advance(60_000);
    expect(codesOf(it.warnings)).toEqual(["STORE_IO"]);
    discoveryStore.failure = undefined;
    await it.clock.advance(11_000);
    expect(discoveryStore.known).toMatchObject([{ services: [{ name: "orders" }] }]);
    expect(discoveryStore.saves).toBe(1);
    await it.end();
  });
});

describe("a reload", () => {
  test("does not touch a discovery that is the same", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.list("A", "orders") });
    const topology = it.directory.topology("orders");
    await it.reload({});
    await it.clock.advance(10);
    expect([it.directory.topology("orders"), it.catalog.opened("A")]).toEqual([topology, 1]);
    await it.end();
  });

  test("with other templates changes the providers, and with other settings replaces the topologies", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.list("A", "orders") });
    const topology = it.directory.topology("orders");
    await it.reload({ discoveries: [discovery({ providers: [provider("{service}-2")] })] });
    await it.clock.advance(10);
    expect(it.directory.topology("orders")).toBe(topology);
    expect([...topology.members()].map(({ id }) => id)).toEqual(["orders-2"]);
    await it.reload({ discoveries: [discovery({ settings: { health: { timeoutMs: 30_000 } } })] });
    await it.clock.advance(10);
    expect(it.directory.topology("orders")).not.toBe(topology);
    expect(it.directory.topology("orders").state.status).toBe("ready");
    await it.end();
  });

  test("with another source keeps the topologies until that source has answered and the dwell has passed", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.list("A", "orders billing reports") });
    await it.reload({
      discoveries: [discovery({ sources: [{ kind: "catalog", params: { source: "B" } }] })],
    });
    await it.clock.advance(600_000);
    expect(it.names()).toBe("billing orders reports");
    it.catalog.list("B", "orders billing");
    await it.clock.advance(59_000);
    expect(it.names()).toBe("billing orders reports");
    await it.clock.advance(2_000);
    expect(it.names()).toBe("billing orders");
    await it.end();
  });

  describe("that moves a discovery to another place of the list", () => {
    const fromB = discovery({
      sources: [{ kind: "catalog", params: { source: "B" } }],
      providers: [provider("{service}-b")],
    });

    // R7.2
    test("does not touch its topologies when the one before it is removed", async () => {
      const it = await setUp({ discoveries: [discovery(), fromB], prepare: listBoth });
      const billing = it.directory.topology("billing");
      await it.reload({ discoveries: [fromB] });
      await it.clock.advance(10);
      expect(it.names()).toBe("billing");
      expect(it.directory.topology("billing")).toBe(billing);
      await it.end();
    });

    test("does not touch its topologies when another one is put before it", async () => {
      const it = await setUp({ discoveries: [discovery()], prepare: listBoth });
      const orders = it.directory.topology("orders");
      await it.reload({ discoveries: [fromB, discovery()] });
      await it.clock.advance(10);
      expect([it.names(), it.changes]).toEqual(["billing orders", ["appeared orders", "appeared billing"]]);
      expect(it.directory.topology("orders")).toBe(orders);
      await it.end();
    });

    test("and changes it keeps the topologies of its own sources only", async () => {
      const it = await setUp({ discoveries: [discovery(), fromB], prepare: listBoth });
      const billing = it.directory.topology("billing");
      it.catalog.fail("B");
      await it.reload({ discoveries: [{ ...fromB, removeAfterMs: 1_000 }] });
      await it.clock.advance(10);
      expect(it.names()).toBe("billing");
      expect(it.directory.topology("billing")).toBe(billing);
      await it.end();
    });
  });

  test("without the discovery drains its topologies", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.list("A", "orders billing") });
    const topology = it.directory.topology("orders");
    await it.reload({ discoveries: [] });
    await it.clock.advance(10);
    expect([it.names(), topology.state.status, it.catalog.openWatches]).toEqual(["", "stopped", 0]);
    await it.end();
  });

  test("with an invalid discovery changes nothing and names every problem", async () => {
    const it = await setUp({ prepare: (catalog) => catalog.list("A", "orders") });
    const invalid: DiscoveryDefinition = {
      sources: [
        { kind: "memory", params: {} },
        { kind: "catalog", params: { source: "", x: 1 } },
      ],
      topology: "{svc}",
      providers: [{ ...provider("{service}{zone}"), kind: "unknown" }],
      removeAfterMs: -1,
      settings: { guards: { removalDwellMs: -1 } },
    };
    const reloading = it.reload({ topologies: [{ name: "a b" }], discoveries: [discovery(), invalid] });
    const error: unknown = await reloading.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ProvisioningError);
    const problems = (error as ProvisioningError).details["problems"] as readonly {
      path: string;
      expected: string;
    }[];
    expect(problems.map(({ path, expected }) => `${path}: ${expected}`)).toEqual([
      'topologies["a b"]: a name of 1 to 128 letters, digits, `.`, `_` and `-` that starts with a letter or digit',
      'discover[1].from[0].kind: a kind that can list services ("catalog")',
      "discover[1].from[1].params.source: at least 1 characters",
      "discover[1].from[1].params.x: no such field",
      "discover[1].topology: {service} or {namespace}",
      "discover[1].providers: {service} or {namespace}",
      'discover[1].providers[0].kind: "catalog" or "memory"',
      'discover[1]: valid settings (the option "removeAfterMs" must be 0 or more)',
      'discover[1]: valid settings (the guard option "removalDwellMs" must be a number, 0 or more)',
    ]);
    expect([it.names(), it.catalog.opened("A")]).toEqual(["orders", 1]);
    await it.end();
  });
});

test("hundreds of topologies are started and removed in steps, and those that hang do not affect the others", async () => {
  const names = Array.from({ length: 120 }, (_, index) => `s${index}`);
  const hanging = new MemorySnapshotStore();
  hanging.load = () => new Promise(() => {});
  let running = 0;
  let most = 0;
  const it = await setUp({
    discoveries: [discovery({ massRemoval: false, removeAfterMs: 100 })],
    storesFor: (name) => {
      const snapshots = new MemorySnapshotStore();
      snapshots.load = async () => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return undefined;
      };
      return { snapshots: isHanging(name) ? hanging : snapshots };
    },
    prepare: (catalog) => catalog.list("A", names.join(" ")),
  });
  await it.clock.advance(5_000);
  const statusOf = (name: string) => it.directory.topology(name).state.status;
  expect(it.directory.names()).toHaveLength(120);
  expect(names.filter((name) => statusOf(name) === "ready")).toHaveLength(95);
  expect(names.filter(isHanging).every((name) => statusOf(name) === "starting")).toBe(true);
  expect(most).toBeLessThanOrEqual(20);
  it.catalog.list("A", "s119");
  await it.clock.advance(200);
  expect(it.names()).toBe("s119");
  await it.end();
});
