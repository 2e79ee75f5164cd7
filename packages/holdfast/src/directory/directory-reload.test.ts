import { ProvisioningError, type GenerationStore } from "@holdfast/core";
import { memory, type MemoryProvider } from "@holdfast/provider-memory";
import {
  createSeededRandom,
  fuzzRuns,
  MemoryProviderStore,
  RecordingRemoting,
  VirtualClock,
} from "@holdfast/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Directory } from "./directory.ts";
import type { DirectoryOptions } from "./directory-options.ts";
import type { TopologyDefinition } from "./topology-definition.ts";

const provider = (id: string, ...members: string[]) => ({
  id,
  kind: "memory",
  priority: 1,
  params: { members: members.map((member) => ({ id: member, host: `${member}.test`, port: 7_000 })) },
});

const define = (
  name: string,
  members: readonly string[],
  settings: Partial<TopologyDefinition> = {},
): TopologyDefinition => ({ name, providers: [provider(name, ...members)], ...settings });

const toMemberIds = (json: string) => [...json.matchAll(/"host":"(\w+)\.test"/g)].map(([, id]) => id);

const count = (): GenerationStore => {
  let calls = 0;
  return { next: ({ atLeast }) => Promise.resolve(atLeast + ++calls) };
};

async function setUp(topologies: readonly TopologyDefinition[], options: Partial<DirectoryOptions> = {}) {
  const clock = new VirtualClock();
  const created: MemoryProvider[] = [];
  /** The ids of providers that refuse the connection. */
  const refusing = new Set<string>();
  const adapter = memory.createAdapter({
    onCreate: (instance) => {
      created.push(instance);
      if (refusing.has(instance.descriptor.id)) instance.refuse();
    },
  });
  const stores = new Map<string, MemoryProviderStore>();
  const storeOf = (name: string) => {
    const store = stores.get(name) ?? new MemoryProviderStore();
    stores.set(name, store);
    return store;
  };
  const directory = new Directory({
    adapters: [adapter],
    storesFor: (name) => ({ providers: storeOf(name) }),
    generation: count(),
    clock,
    random: createSeededRandom(1),
    ...options,
  });
  const warnings: string[] = [];
  directory.on("warning", ({ topology, code }) => warnings.push(`${topology} ${code}`));
  const changes: string[] = [];
  await clock.until(directory.start({ topologies }), 60_000);
  await clock.settle();
  directory.onChange(({ type, name }) => changes.push(`${type} ${name}`));
  const reload = (next: readonly TopologyDefinition[], signal?: AbortSignal) =>
    clock.until(directory.reload({ topologies: next }, { signal }), 60_000);
  /** The members of every topology. */
  const inForce = () =>
    Object.fromEntries(
      directory
        .names()
        .map((name) => [
          name,
          [...(directory.topology(name).state.snapshot?.members ?? [])].map(({ id }) => id),
        ]),
    );
  /** The ids of the members in the parameters of the providers in force. */
  const registered = () =>
    Object.fromEntries(
      directory.names().map((name) => [
        name,
        toMemberIds(
          JSON.stringify(
            directory
              .topology(name)
              .service.registry.list()
              .map(({ descriptor }) => descriptor),
          ),
        ),
      ]),
    );
  /** The ids of the members in every store that was ever saved. */
  const stored = () =>
    Object.fromEntries(
      [...stores].flatMap(([name, { contents }]) => (contents === "" ? [] : [[name, toMemberIds(contents)]])),
    );
  const end = async () => {
    await clock.until(directory.close(), 60_000);
    await clock.settle();
    expect(clock.pendingTimers).toBe(0);
  };
  return {
    clock,
    directory,
    created,
    refusing,
    storeOf,
    warnings,
    changes,
    reload,
    inForce,
    registered,
    stored,
    end,
  };
}

// R5.4, R7.1
describe("a reload", () => {
  test("adds, removes and changes topologies, and does not touch the others", async () => {
    const it = await setUp([define("a", ["a1"]), define("b", ["b1"]), define("c", ["c1"])]);
    const kept = it.directory.topology("a");
    const before = kept.state;
    const report = await it.reload([define("a", ["a1"]), define("b", ["b2"]), define("d", ["d1"])]);
    await it.clock.settle();
    expect(report).toEqual({ appeared: ["d"], disappeared: ["c"], changed: ["b"], restarted: [] });
    expect(it.inForce()).toEqual({ a: ["a1"], b: ["b2"], d: ["d1"] });
    expect(it.directory.topology("a")).toBe(kept);
    expect(kept.state).toEqual(before);
    expect(it.created.filter(({ descriptor }) => descriptor.id === "a")).toHaveLength(1);
    expect(it.changes).toEqual(["disappeared c", "appeared d"]);
    await it.end();
  });

  test("that changes nothing does nothing", async () => {
    const it = await setUp([define("a", ["a1"]), define("b", ["b1"])]);
    it.storeOf("a").failNext(1);
    const report = await it.reload([define("b", ["b1"]), define("a", ["a1"])]);
    expect(report).toEqual({ appeared: [], disappeared: [], changed: [], restarted: [] });
    expect([it.created.length, it.changes]).toEqual([2, []]);
    await it.end();
  });

  test("with an invalid definition changes nothing and names every problem", async () => {
    const it = await setUp([define("a", ["a1"]), define("b", ["b1"])]);
    const invalid = { ...provider("b", "b2"), kind: "unknown" };
    const reloading = it.reload([
      define("a", ["a2"]),
      { name: "b", providers: [invalid] },
      define("d", ["d1"], { guards: { removalDwellMs: -1 } }),
    ]);
    await expect(reloading).rejects.toMatchObject({
      code: "VALIDATION_UNKNOWN_KIND",
      details: {
        problems: [
          expect.objectContaining({ path: "topologies.b.providers[0].kind" }),
          expect.objectContaining({ path: "topologies.d" }),
        ],
      },
    });
    expect(it.inForce()).toEqual({ a: ["a1"], b: ["b1"] });
    expect(it.stored()).toEqual({ a: ["a1"], b: ["b1"] });
    await it.end();
  });

  test("changes nothing when the backend of one topology refuses, and names it", async () => {
    const it = await setUp([define("a", ["a1"]), define("b", ["b1"])]);
    it.refusing.add("d");
    const reloading = it.reload([define("a", ["a2"]), define("d", ["d1"])]);
    await expect(reloading).rejects.toMatchObject({
      code: "CONNECTIVITY_REFUSED",
      details: { topology: "d", failures: [expect.objectContaining({ topology: "d" })] },
    });
    expect(it.inForce()).toEqual({ a: ["a1"], b: ["b1"] });
    expect(it.stored()).toEqual({ a: ["a1"], b: ["b1"] });
    it.refusing.clear();
    await it.reload([define("a", ["a2"]), define("d", ["d1"])]);
    expect(it.inForce()).toEqual({ a: ["a2"], d: ["d1"] });
    await it.end();
  });

  test.each(["a", "b", "d"])("changes nothing when the save of %s fails", async (failing) => {
    const it = await setUp([define("a", ["a1"]), define("b", ["b1"])]);
    it.storeOf(failing).failNext(1);
    const reloading = it.reload([define("a", ["a2"]), define("b", ["b2"]), define("d", ["d1"])]);
    await expect(reloading).rejects.toMatchObject({ code: "STORE_IO", details: { topology: failing } });
    expect(it.inForce()).toEqual({ a: ["a1"], b: ["b1"] });
    expect(it.stored()).toMatchObject({ a: ["a1"], b: ["b1"] });
    expect(it.stored()["d"] ?? []).toEqual([]);
    await it.end();
  });

  test("with a changed setting replaces only that topology, with a later epoch", async () => {
    const remoting = new RecordingRemoting();
    const it = await setUp([define("a", ["a1"], { ports: { remoting } }), define("b", ["b1"])]);
    const [before, other] = [it.directory.topology("a"), it.directory.topology("b")];
    const report = await it.reload([
      define("a", ["a1"], { health: { timeoutMs: 30_000 }, ports: { remoting } }),
      define("b", ["b1"]),
    ]);
    await it.clock.settle();
    expect(report).toEqual({ appeared: [], disappeared: [], changed: [], restarted: ["a"] });
    expect(before.state.status).toBe("stopped");
    const after = it.directory.topology("a");
    expect(after.state.status).toBe("ready");
    expect(after.state.epoch > before.state.epoch).toBe(true);
    expect(it.directory.topology("b")).toBe(other);
    expect(it.changes).toEqual(["disappeared a", "appeared a"]);
    await it.end();
  });

  test("with another `required` restarts nothing", async () => {
    const it = await setUp([define("a", ["a1"])]);
    const topology = it.directory.topology("a");
    await it.reload([define("a", ["a1"], { required: false })]);
    expect([it.directory.topology("a"), topology.isRequired, it.changes]).toEqual([topology, false, []]);
    await it.end();
  });

  test("drains the consumers of a removed topology, and a new one with its name waits for that", async () => {
    // R3.5
    const remoting = new RecordingRemoting();
    const it = await setUp([define("a", ["a1"], { ports: { remoting } }), define("b", ["b1"])]);
    const removed = it.directory.topology("a");
    const release = remoting.hold();
    it.created[0]?.set([]);
    await it.clock.settle();
    await it.reload([define("b", ["b1"])]);
    expect(it.directory.find("a")).toBeUndefined();
    expect(removed.state.status).toBe("draining");
    const adding = it.directory.reload({ topologies: [define("a", ["a2"]), define("b", ["b1"])] });
    await it.clock.advance(5_000);
    expect([removed.state.status, it.directory.find("a")]).toEqual(["draining", undefined]);
    release();
    await it.clock.until(adding, 60_000);
    await it.clock.settle();
    expect(removed.state.status).toBe("stopped");
    expect(it.inForce()).toEqual({ a: ["a2"], b: ["b1"] });
    await it.end();
  });

  test("tries a topology that could not be started again at once", async () => {
    const broken = new ProvisioningError("STORE_CORRUPTED", "damaged");
    const it = await setUp([define("a", ["a1"])]);
    const store = it.storeOf("b");
    let isBroken = true;
    const load = store.load.bind(store);
    store.load = () => (isBroken ? Promise.reject(broken) : load());
    const other = await setUp([define("a", ["a1"]), { name: "b" }], {
      storesFor: (name) => (name === "b" ? { providers: store } : {}),
    });
    expect(other.directory.topology("b").state.status).toBe("starting");
    isBroken = false;
    await other.reload([define("a", ["a1"]), { name: "b" }]);
    await other.clock.settle();
    expect(other.directory.topology("b").state.statusReason).not.toContain("damaged");
    await other.end();
    await it.end();
  });

  test("of stored sets brings in what the stores hold", async () => {
    const it = await setUp([define("a", ["a1"]), { name: "b" }]);
    const command = it.storeOf("b").reopen();
    await command.load();
    await command.save([provider("b", "b7")]);
    const report = await it.reload([define("a", ["a1"]), { name: "b" }]);
    await it.clock.settle();
    expect([report.changed, it.inForce()]).toEqual([["b"], { a: ["a1"], b: ["b7"] }]);
    await it.end();
  });

  test("that is aborted changes nothing", async () => {
    const it = await setUp([define("a", ["a1"])]);
    const abort = new AbortController();
    const hanging = it.directory.reload(
      { topologies: [define("a", ["a2"]), define("slow", ["s1"])] },
      { signal: abort.signal },
    );
    abort.abort();
    await expect(hanging).rejects.toMatchObject({ code: "LIFECYCLE_ABORTED" });
    expect([it.inForce(), it.stored()]).toEqual([{ a: ["a1"] }, { a: ["a1"] }]);
    await it.end();
  });

  test("ends with the directory, and needs a start", async () => {
    const it = await setUp([define("a", ["a1"])]);
    const reloading = it.directory.reload({ topologies: [define("a", ["a2"]), define("b", ["b1"])] });
    const outcome = reloading.catch((error: unknown) => error);
    await it.end();
    expect(await outcome).toMatchObject({ code: "LIFECYCLE_STOPPED" });
    const never = new Directory({ adapters: [] });
    await expect(never.reload({ topologies: [] })).rejects.toMatchObject({ code: "LIFECYCLE_NOT_STARTED" });
    await never.close();
  });
});

interface Attempt {
  readonly next: Readonly<Record<string, number>>;
  readonly refused: string | undefined;
  readonly unsaved: string | undefined;
}

const NAMES = ["a", "b", "c"];
const attempts = fc.array(
  fc.record<Attempt>({
    next: fc.dictionary(fc.constantFrom(...NAMES), fc.nat({ max: 3 }), { minKeys: 1 }),
    refused: fc.option(fc.constantFrom(...NAMES), { nil: undefined, freq: 2 }),
    unsaved: fc.option(fc.constantFrom(...NAMES), { nil: undefined, freq: 2 }),
  }),
  { minLength: 1, maxLength: 6 },
);

const toMembers = (next: Attempt["next"]) =>
  Object.fromEntries(Object.entries(next).map(([name, version]) => [name, [`${name}${version}`]]));
const toDefinitions = (next: Attempt["next"]) =>
  Object.entries(next).map(([name, version]) => define(name, [`${name}${version}`]));

// R5.4
test("whatever fails, the new set is in force and stored, or the old one, never a mixture", async () => {
  await fc.assert(
    fc.asyncProperty(attempts, async (list) => {
      const it = await setUp(toDefinitions({ a: 0, b: 0 }));
      let current: Attempt["next"] = { a: 0, b: 0 };
      for (const { next, refused, unsaved } of list) {
        it.refusing.clear();
        if (refused !== undefined) it.refusing.add(refused);
        for (const name of NAMES) it.storeOf(name).failNext(name === unsaved ? 1 : 0);
        const isAccepted = await it.reload(toDefinitions(next)).then(
          () => true,
          () => false,
        );
        await it.clock.settle();
        if (isAccepted) current = next;
        expect(it.registered()).toEqual(toMembers(current));
        expect(it.stored()).toMatchObject(toMembers(current));
      }
      await it.end();
    }),
    { numRuns: fuzzRuns(100) },
  );
});
