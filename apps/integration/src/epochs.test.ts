import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RemoteEventFilter, SequenceGuard } from "@holdfast/bridges";
import type { RemotingPort, SnapshotTick, TopologyNotice } from "@holdfast/core";
import { createSeededRandom, MemoryProviderStore, VirtualClock } from "@holdfast/testing";
import { memory as memoryKind } from "@holdfast/provider-memory";
import { ProvisioningService } from "@holdfast/provisioning";
import { FileGenerationStore } from "@holdfast/store-file";
import { describe, expect, test } from "vitest";
import { emptyFolder } from "@holdfast-apps/lab/packed-packages";
import { memory, node } from "./service-harness.ts";

const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 5, 1);

/** A receiver that outlives the service. It drops events that are not newer than those it has received. */
class OutlivingReceiver implements RemotingPort {
  readonly #filter = new RemoteEventFilter();
  readonly #ticks = new SequenceGuard();
  readonly #notices = new SequenceGuard();
  #epoch = "";
  /** The channels of the newest epoch. Each epoch starts with a join of every member. */
  readonly channels: Set<string> = new Set();
  readonly ticks: string[][] = [];
  readonly statuses: string[] = [];

  applyEvents: RemotingPort["applyEvents"] = (events) => {
    for (const event of events) {
      if (!this.#filter.accept(event)) continue;
      if (event.epoch !== this.#epoch) this.channels.clear();
      this.#epoch = event.epoch;
      if (event.kind === "join") this.channels.add(event.node.id);
      if (event.kind === "leave") this.channels.delete(event.node.id);
    }
  };

  notify = (notice: TopologyNotice): void => {
    this.#notices.accept(notice);
    if (notice.kind === "status_changed") this.statuses.push(notice.to);
  };

  /** Implements Partition. Rejects stale ticks with `ORDER_STALE_SEQUENCE`. */
  applySnapshot = (tick: SnapshotTick): void => {
    this.#ticks.accept(tick);
    this.ticks.push([...tick.snapshot.members].map(({ id }) => id));
  };
}

interface RunOptions {
  readonly receiver: OutlivingReceiver;
  /** The folder in which the generation is stored; absent: it is not stored. */
  readonly folder?: string;
  /** The wall clock at the start. */
  readonly at: number;
  readonly members: readonly string[];
}

/** Runs the service from its start to its end. Returns its epoch. */
async function run({ receiver, folder, at, members }: RunOptions): Promise<string> {
  const clock = new VirtualClock({ startAt: at });
  const service = new ProvisioningService({
    adapters: [memoryKind.createAdapter()],
    store: new MemoryProviderStore(),
    generation: folder === undefined ? undefined : generationIn(folder),
    ports: {
      remoting: receiver,
      partition: { applySnapshot: receiver.applySnapshot, publishLeases: () => {}, notify: () => {} },
    },
    clock,
    random: createSeededRandom(at),
  });
  try {
    await service.start({
      providers: [
        memory(
          "p",
          1,
          members.map((id) => node(id)),
        ),
      ],
    });
    await clock.advance(1_000);
    return service.topology.epoch;
  } finally {
    await clock.until(service.stop(), MINUTE_MS);
  }
}

const generationIn = (folder: string) =>
  new FileGenerationStore({ path: join(folder, "generation.json"), setting: "dataDir" });

// R4.1 F2
describe("a receiver that outlives the service", () => {
  test.each([-MINUTE_MS, -1, 0, 1, MINUTE_MS])(
    "applies the joins of a run whose clock starts %d ms after that of the previous run",
    async (laterMs) => {
      await using folder = await emptyFolder();
      const receiver = new OutlivingReceiver();
      const common = { receiver, folder: folder.path };
      const first = await run({ ...common, at: START, members: ["a", "b"] });
      expect([...receiver.channels]).toEqual(["a", "b"]);
      const second = await run({ ...common, at: START + laterMs, members: ["b", "c"] });
      expect([...receiver.channels]).toEqual(["b", "c"]);
      const third = await run({ ...common, at: START - laterMs, members: ["d"] });
      expect([...receiver.channels]).toEqual(["d"]);
      expect(receiver.ticks).toEqual([["a", "b"], ["b", "c"], ["d"]]);
      expect([first, second, third].toSorted()).toEqual([first, second, third]);
      expect(receiver.statuses.filter((status) => status === "ready")).toHaveLength(3);
    },
  );

  test("ignores a run with an earlier clock when the generation is not stored", async () => {
    const receiver = new OutlivingReceiver();
    await run({ receiver, at: START, members: ["a"] });
    await run({ receiver, at: START - MINUTE_MS, members: ["b"] });
    expect([...receiver.channels]).toEqual(["a"]);
    await run({ receiver, at: START + MINUTE_MS, members: ["c"] });
    expect([...receiver.channels]).toEqual(["c"]);
  });

  test("applies the joins of a later run after the stored generation was lost, or is no longer used", async () => {
    await using folder = await emptyFolder();
    const receiver = new OutlivingReceiver();
    await run({ receiver, at: START - MINUTE_MS, members: ["0"] });
    await run({ receiver, folder: folder.path, at: START, members: ["a"] });
    expect([...receiver.channels]).toEqual(["a"]);
    await rm(join(folder.path, "generation.json"));
    await run({ receiver, folder: folder.path, at: START + MINUTE_MS, members: ["b"] });
    expect([...receiver.channels]).toEqual(["b"]);
    await run({ receiver, at: START + 2 * MINUTE_MS, members: ["c"] });
    expect([...receiver.channels]).toEqual(["c"]);
  });

  test("applies the joins of a run after a failed start, even if the clock was set back", async () => {
    await using folder = await emptyFolder();
    const receiver = new OutlivingReceiver();
    const common = { receiver, folder: folder.path };
    const path = join(folder.path, "generation.json");
    await run({ ...common, at: START, members: ["a"] });
    const whole = await readFile(path);
    await writeFile(path, "damaged");
    // R1.5: a damaged file rejects the start and is not changed.
    const failed = run({ ...common, at: START + 9 * MINUTE_MS, members: ["b"] });
    await expect(failed).rejects.toMatchObject({ code: "STORE_CORRUPTED", details: { file: path, line: 1 } });
    expect(await readFile(path, "utf8")).toBe("damaged");
    expect(await readdir(folder.path)).toEqual(["generation.json"]);
    expect([...receiver.channels]).toEqual(["a"]);
    await writeFile(path, whole);
    await run({ ...common, at: START - MINUTE_MS, members: ["c"] });
    expect([...receiver.channels]).toEqual(["c"]);
    expect(receiver.statuses.filter((status) => status === "ready")).toHaveLength(2);
  });
});

// R4.1
test("a generation that cannot be written rejects the start before the set of providers is changed", async () => {
  await using folder = await emptyFolder();
  await writeFile(join(folder.path, "file"), "");
  const store = new MemoryProviderStore();
  const service = new ProvisioningService({
    adapters: [memoryKind.createAdapter()],
    store,
    generation: generationIn(join(folder.path, "file")),
  });
  await expect(service.start({ providers: [memory("p", 1, [node("a")])] })).rejects.toMatchObject({
    code: "STORE_IO",
    message: expect.stringContaining('its path is set by "dataDir"'),
    details: { code: "ENOTDIR" },
  });
  expect(await store.load()).toEqual([]);
  expect(await service.stop()).toEqual({ unfinished: [] });
});

// R4.1: the epoch is determined at the start. A reader from before the start must receive all events.
test("a reader that begins before the start receives every event", async () => {
  await using folder = await emptyFolder();
  const clock = new VirtualClock();
  const service = new ProvisioningService({
    adapters: [memoryKind.createAdapter()],
    store: new MemoryProviderStore(),
    generation: generationIn(folder.path),
    clock,
    random: createSeededRandom(1),
  });
  const early = { epoch: service.topology.epoch, seqNo: 0 };
  const reading = Array.fromAsync(service.topology.events());
  await service.start({ providers: [memory("p", 1, [node("a")])] });
  await clock.settle();
  const { epoch } = service.topology;
  expect(epoch > early.epoch).toBe(true);
  const begun = service.topology.eventsSince(epoch, 0);
  expect(service.topology.eventsSince(early.epoch, early.seqNo)).toEqual(begun);
  await clock.until(service.stop(), MINUTE_MS);
  const events = await reading;
  expect(events.map(({ seqNo }) => seqNo)).toEqual(events.map((_, i) => i + 1));
  expect(events.slice(0, begun!.length)).toEqual(begun);
  expect(new Set(events.map((event) => event.epoch))).toEqual(new Set([epoch]));
});
