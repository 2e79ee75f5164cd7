import { MemoryProviderStore, MemorySnapshotStore } from "@holdfast/testing";
import { ProvisioningError } from "@holdfast/core";
import { describe, expect, test } from "vitest";
import { memory, node, ServiceHarness } from "./service-harness.ts";

const MEMBERS = [node("a"), node("b"), node("c")];
const PROVIDERS = [memory("primary", 2, MEMBERS), memory("backup", 1, MEMBERS)];
const NO = new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", "no");

interface Disk {
  readonly store: MemoryProviderStore;
  readonly snapshots: MemorySnapshotStore;
}

const createDisk = (): Disk => ({ store: new MemoryProviderStore(), snapshots: new MemorySnapshotStore() });

/** A service that uses the stored data, as after a restart. */
function open({ store, snapshots }: Disk, maxAgeMs = 600_000): ServiceHarness {
  return new ServiceHarness({
    store: store.reopen(),
    lastKnownGood: { store: snapshots, maxAgeMs, saveEveryMs: 10_000 },
  });
}

/** Runs a service that saves a good snapshot; returns the wall clock at its end. */
async function firstRun(disk: Disk): Promise<void> {
  const h = open(disk);
  await h.service.start({ providers: PROVIDERS });
  await h.clock.advance(10_000);
  expect(disk.snapshots.known?.snapshot.members.size).toBe(3);
  expect(await h.service.stop()).toEqual({ unfinished: [] });
  expect(h.clock.pendingTimers).toBe(0);
}

/** Starts the next run, `afterMs` of wall-clock time later, in which no provider is reachable. */
async function runWithoutBackends(
  disk: Disk,
  afterMs: number,
  how: "refuse" | "hang" = "refuse",
): Promise<ServiceHarness> {
  const h = open(disk);
  h.clock.jump(10_000 + afterMs);
  h.service.registry.on("changed", () => {
    for (const id of ["primary", "backup"]) {
      if (how === "hang") h.provider(id).hang();
      else h.provider(id).refuse(NO);
    }
  });
  await h.service.start();
  await h.clock.settle();
  return h;
}

const kinds = (h: ServiceHarness) => h.remoting.events.map(({ kind, node: { id } }) => `${kind} ${id}`);

describe("the last known good snapshot", () => {
  test("is served as degraded until every provider is unreachable, then as unavailable, and opens no channel", async () => {
    // R2.7 R4.3 R5.3
    const disk = createDisk();
    await firstRun(disk);
    const h = await runWithoutBackends(disk, 60_000, "hang");
    const { state } = h.service.topology;
    expect(h.status).toBe("degraded");
    expect(state.statusReason).toMatch(/"primary", confirmed 6\d s before this start/);
    expect(state.isStale).toBe(true);
    expect(state.holds).toMatchObject([{ guard: "last_known_good", providerId: "primary", nodes: 3 }]);
    expect([...state.snapshot!.members].map(({ id }) => id)).toEqual(["a", "b", "c"]);
    expect(h.partition.ticks).toHaveLength(1);
    expect(kinds(h)).toEqual([]);
    await h.clock.advance(15_000);
    expect(h.service.topology.state).toMatchObject({ status: "unavailable", isStale: true });
    expect(h.service.topology.state.snapshot?.members.size).toBe(3);
    expect(kinds(h)).toEqual([]);
    expect(h.events.filter(({ kind }) => kind === "guard_changed")).toHaveLength(1);
    expect(h.warnings).toEqual([]);
    await h.stop();
  });

  test("is replaced without a leave when a provider delivers the same members", async () => {
    const disk = createDisk();
    await firstRun(disk);
    const h = await runWithoutBackends(disk, 60_000);
    const before = h.partition.ticks.length;
    h.provider("primary").recover();
    await h.clock.advance(60_000);
    expect(h.status).toBe("ready");
    expect(h.service.topology.state.holds).toEqual([]);
    // Equal content causes no new tick; the channels are opened now, because the snapshot is fresh.
    expect(h.partition.ticks).toHaveLength(before);
    expect(kinds(h)).toEqual(["join a", "join b", "join c"]);
    await h.stop();
  });

  test("is replaced by the snapshot of another provider, without the members that this does not list", async () => {
    const disk = createDisk();
    await firstRun(disk);
    const h = await runWithoutBackends(disk, 60_000);
    h.provider("backup").set([node("b"), node("d")]);
    h.provider("backup").recover();
    await h.clock.advance(60_000);
    expect(h.status).toBe("ready");
    expect([...h.service.topology.state.snapshot!.members].map(({ id }) => id)).toEqual(["b", "d"]);
    expect(kinds(h)).toEqual(["join b", "join d"]);
    await h.stop();
  });

  test("that expires while no provider is reachable makes the topology unavailable, and is not saved again", async () => {
    const disk = createDisk();
    await firstRun(disk);
    const saves = disk.snapshots.saves.length;
    const h = await runWithoutBackends(disk, 60_000);
    await h.clock.advance(600_000);
    expect(h.status).toBe("unavailable");
    expect(h.service.topology.state.statusReason).toMatch(/has expired/);
    expect(() => h.service.topology.newest()).toThrow("TOPOLOGY_UNAVAILABLE");
    await h.stop();
    expect(disk.snapshots.saves).toHaveLength(saves);
  });

  test.each([
    ["is too old", 600_000, undefined, "STORE_EXPIRED"],
    ["is dated in the future", -120_000, undefined, "STORE_EXPIRED"],
    ["is damaged", 0, new ProvisioningError("STORE_CORRUPTED", "damaged"), "STORE_CORRUPTED"],
    ["cannot be read", 0, new Error("no disk"), "STORE_IO"],
  ])(
    "that %s is not served, and causes a warning and the status unavailable",
    async (_, afterMs, failure, code) => {
      const disk = createDisk();
      await firstRun(disk);
      disk.snapshots.failure = failure;
      const h = await runWithoutBackends(disk, afterMs);
      await h.clock.advance(60_000);
      expect(h.status).toBe("unavailable");
      expect(h.service.topology.state.snapshot).toBeUndefined();
      expect(h.warnings.map((warning) => warning.code)).toContain(code);
      await h.stop();
    },
  );

  test("is saved without blocks, and only while it is not stale", async () => {
    const disk = createDisk();
    const h = open(disk);
    await h.service.start({ providers: PROVIDERS });
    await h.clock.settle();
    h.service.remoting!.block("a");
    await h.clock.advance(10_000);
    expect(disk.snapshots.saves.map(({ snapshot }) => snapshot.blockedNodes)).toEqual([[]]);
    for (const id of ["primary", "backup"]) {
      h.provider(id).refuse(NO);
      h.provider(id).end();
    }
    await h.clock.advance(60_000);
    expect(h.status).toBe("unavailable");
    expect(disk.snapshots.saves).toHaveLength(1);
    await h.stop();
    expect(disk.snapshots.saves).toHaveLength(1);
  });

  test("is saved when it changed, when it was confirmed much later, and when the service stops", async () => {
    const disk = createDisk();
    const h = open(disk);
    await h.service.start({ providers: PROVIDERS });
    await h.clock.advance(59_000);
    expect(disk.snapshots.saves).toHaveLength(1);
    await h.clock.advance(31_000);
    expect(disk.snapshots.saves).toHaveLength(2);
    for (const id of ["backup", "primary"]) h.provider(id).set([node("z")]);
    await h.clock.settle();
    await h.stop();
    expect(disk.snapshots.saves.at(-1)?.snapshot.members.toArray()).toMatchObject([{ id: "z" }]);
  });

  test("that cannot be saved causes one warning, and is saved when that is possible again", async () => {
    const disk = createDisk();
    const h = open(disk);
    await h.service.start({ providers: PROVIDERS });
    disk.snapshots.failure = new ProvisioningError("STORE_IO", "the disk is full");
    await h.clock.advance(60_000);
    expect(h.warnings.map(({ code }) => code)).toEqual(["STORE_IO"]);
    expect(h.status).toBe("ready");
    disk.snapshots.failure = undefined;
    await h.clock.advance(10_000);
    expect(disk.snapshots.saves).toHaveLength(1);
    await h.stop();
  });

  test("is saved after the wall clock was set back too", async () => {
    const disk = createDisk();
    const h = open(disk);
    await h.service.start({ providers: PROVIDERS });
    await h.clock.advance(10_000);
    h.clock.jump(-86_400_000);
    await h.clock.advance(10_000);
    expect(disk.snapshots.saves).toHaveLength(2);
    expect(disk.snapshots.known!.confirmedAt).toBeLessThan(h.clock.now() + 1);
    await h.stop();
  });

  test("is not saved while members are retained after a switch", async () => {
    const disk = createDisk();
    const h = open(disk);
    await h.service.start({ providers: [PROVIDERS[0]!, memory("backup", 1, [node("a")])] });
    await h.clock.advance(10_000);
    h.provider("primary").refuse(NO);
    h.provider("primary").end();
    await h.clock.advance(9_000);
    expect(disk.snapshots.known?.snapshot.members.size).toBe(3);
    await h.clock.advance(20_000);
    expect(disk.snapshots.known?.snapshot.members.size).toBe(1);
    await h.stop();
  });

  test.each([
    ["under another name", memory("other", 1, MEMBERS)],
    ["as something else", memory("primary", 2, [node("elsewhere")])],
  ])("of a provider that is now configured %s is not served", async (_, provider) => {
    const disk = createDisk();
    await firstRun(disk);
    const h = open(disk);
    h.clock.jump(20_000);
    h.service.registry.on("changed", (set) => {
      for (const { descriptor } of set) h.provider(descriptor.id).refuse(NO);
    });
    await h.service.start({ providers: [provider] });
    await h.clock.settle();
    expect(h.service.topology.state.snapshot).toBeUndefined();
    expect(h.warnings.map(({ code }) => code)).toContain("STORE_EXPIRED");
    await h.stop();
  });

  test("a save that hangs is named in the report of the stop", async () => {
    const disk = createDisk();
    const h = open(disk);
    await h.service.start({ providers: PROVIDERS });
    await h.clock.settle();
    disk.snapshots.save = () => new Promise(() => {});
    const stopping = h.service.stop({ deadlineMs: 1_000 });
    await h.clock.advance(3_000);
    expect((await stopping).unfinished).toEqual(["last known good snapshot: a save"]);
  });
});
