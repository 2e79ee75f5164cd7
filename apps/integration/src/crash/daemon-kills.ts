import { createSeededRandom } from "@holdfast/testing";
import { createDeadline, ProvisioningError, sleep, systemClock, type Random } from "@holdfast/core";
import { expect } from "vitest";
import { CommandLoad } from "./command-load.ts";
import { ConfigLoad } from "./config-load.ts";
import { pickSet, type CrashFolder, type IdSet } from "./crash-folder.ts";
import { DaemonLife, type DaemonLine } from "@holdfast-apps/lab";
import { folderChanges } from "./folder-changes.ts";
import { replayedIds } from "./event-replay.ts";
import type { StoreLoad } from "./store-load.ts";
import { TopologyChurn } from "./topology-churn.ts";

/** The maximum time between the start of the daemon, or the end of its checks, and the kill, in milliseconds. */
const LATEST_KILL_MS = 1_500;

/** The maximum number of changes in the folder of the store before a kill. One save makes 12 to 24 changes. */
const LATEST_CHANGE = 150;

export interface KillFigures {
  kills: number;
  /** Kills of daemons that were not checked before, and may not have been ready. */
  early: number;
  /** Kills that interrupted a save, so that its temporary files were left. */
  interruptedSaves: number;
  /** Kills that left a last known good snapshot; each of these was complete. */
  snapshots: number;
  /** Daemons whose start was checked. */
  restarts: number;
  events: number;
  readonly readyMs: number[];
}

/** Kills daemons on the same folder, one after another, and checks the files after each kill and the next start. */
export class DaemonKills {
  readonly figures: KillFigures = {
    kills: 0,
    early: 0,
    interruptedSaves: 0,
    snapshots: 0,
    restarts: 0,
    events: 0,
    readyMs: [],
  };
  readonly #folder: CrashFolder;
  readonly #random: Random;
  #stored: IdSet = [];
  /** The set in the configuration; `undefined` when the configuration names no providers. */
  #declared: IdSet | undefined;
  #epoch = "";

  constructor(folder: CrashFolder, seed: number) {
    this.#folder = folder;
    this.#random = createSeededRandom(seed);
  }

  async run(kills: number): Promise<void> {
    while (this.figures.kills < kills) await this.#round();
  }

  async #round(): Promise<void> {
    const random = this.#random;
    {
      await using _ = this.#churn();
      // Before the first start no set is stored.
      const isDeclared = this.#stored.length === 0 || random() < 0.5;
      this.#declared = isDeclared ? pickSet(random) : undefined;
      await this.#folder.configure(this.#declared);
      if (random() < 0.5) await this.#killOnTheWayUp();
    }
    await using daemon = new DaemonLife(this.#folder.configFile);
    await this.#checkStart(daemon);
    await using _ = this.#churn();
    const started = this.#stored;
    await this.#killUnderLoad(daemon, [started]);
    this.#checkWarnings(daemon.lines, started);
  }

  async #killOnTheWayUp(): Promise<void> {
    await using daemon = new DaemonLife(this.#folder.configFile);
    const declared = this.#declared;
    await this.#killUnderLoad(daemon, declared === undefined ? [this.#stored] : [this.#stored, declared]);
    // The set may have changed before the daemon read it.
    this.#checkWarnings(daemon.lines, undefined);
    this.figures.early++;
  }

  async #killUnderLoad(daemon: DaemonLife, possible: readonly IdSet[]): Promise<void> {
    const load = this.#load(daemon, possible);
    await this.#waitForKill();
    for (const ended of await Promise.allSettled([daemon.kill(), load.stop()]))
      if (ended.status === "rejected") throw ended.reason;
    this.figures.kills++;
    this.#checkLines(daemon.lines);
    this.#stored = await this.#folder.storedIds();
    expect(load.possible(), "the stored set was in force or configured").toContainEqual(this.#stored);
    if (this.#declared !== undefined) this.#declared = this.#folder.configured;
    await this.#checkLastKnownGood();
    const sideFiles = await this.#folder.sideFiles();
    if (sideFiles.length > 0) this.figures.interruptedSaves++;
  }

  /** Waits for a random time, or for a random number of changes in the folder of the store, so that more kills interrupt a save. */
  async #waitForKill(): Promise<void> {
    const ms = this.#random() * LATEST_KILL_MS;
    const isInSave = this.#random() < 0.5;
    const change = 1 + Math.floor(this.#random() * LATEST_CHANGE);
    if (!isInSave || this.#stored.length === 0) return sleep(ms, { clock: systemClock });
    using late = createDeadline({
      afterMs: LATEST_KILL_MS,
      clock: systemClock,
      error: () => new ProvisioningError("LIFECYCLE_ABORTED", "no further change was saved"),
    });
    await folderChanges(this.#folder.dataFolder, change, late.signal);
  }

  #load(daemon: DaemonLife, possible: readonly IdSet[]): StoreLoad {
    const folder = this.#folder;
    const random = this.#derivedRandom();
    if (this.#declared !== undefined) return new ConfigLoad({ folder, daemon, random, possible });
    const willKill = this.#random() < 0.5;
    return new CommandLoad({ folder, daemon, random, stored: this.#stored, willKill });
  }

  #churn(): TopologyChurn {
    return new TopologyChurn(this.#folder, this.#derivedRandom());
  }

  /** Returns a separate sequence, because concurrent tasks must not share one. */
  #derivedRandom(): Random {
    return createSeededRandom(Math.floor(this.#random() * 2 ** 32));
  }

  /** Checks the start of a daemon, from its first event to its topology. */
  async #checkStart(daemon: DaemonLife): Promise<void> {
    const expected = this.#declared ?? this.#stored;
    const startedAt = systemClock.monotonic();
    {
      await using _ = this.#churn();
      const { epoch = "" } = await daemon.until(
        ({ kind, to }) => kind === "status_changed" && to === "ready",
      );
      this.figures.readyMs.push(systemClock.monotonic() - startedAt);
      const document = await daemon.topology();
      expect(document.epoch).toBe(epoch);
      expect(document.providers.map(({ providerId }) => providerId)).toEqual(expected);
      expect(await this.#folder.storedIds()).toEqual(expected);
      // The temporary files of interrupted saves have been removed.
      expect((await this.#folder.sideFiles()).filter((name) => name.startsWith(".providers."))).toEqual([]);
      await this.#checkReplay(await daemon.url(), epoch, document.seqNo);
    }
    await this.#settles(daemon, expected);
    this.#stored = expected;
    this.figures.restarts++;
  }

  /** Checks that events are numbered from 1 without a gap, and that a client of the previous daemon receives the whole new state. */
  async #checkReplay(url: string, epoch: string, seqNo: number): Promise<void> {
    const all = Array.from({ length: seqNo }, (_, index) => `${epoch}:${index + 1}`);
    expect(await replayedIds(url, `${epoch}:0`, seqNo)).toEqual(all);
    if (this.#epoch === "") return;
    const [resumed = ""] = await replayedIds(url, `${this.#epoch}:1`, 1);
    expect(resumed.split(":")[0]).toBe(epoch);
    expect(Number(resumed.split(":")[1])).toBeGreaterThanOrEqual(seqNo);
  }

  /** Waits until the topology equals the file of the first provider. No file is edited during this time. */
  async #settles(daemon: DaemonLife, [first = ""]: IdSet): Promise<void> {
    const file = await this.#folder.membersInFile(first);
    for (;;) {
      const seen = daemon.lines.length;
      const { status, providerId, members } = await daemon.topology();
      const isThere = status === "ready" && providerId === first;
      const ids = members.map(({ id }) => id).sort();
      if (isThere && ids.join() === file.join()) return;
      await daemon.moreThan(seen);
    }
  }

  /** Checks that the snapshot is complete and lists members of one provider only. */
  async #checkLastKnownGood(): Promise<void> {
    const known = await this.#folder.lastKnownGood();
    if (known === undefined) return;
    const { providerId, members } = known.snapshot;
    const strangers = [...members].filter(({ id }) => !id.startsWith(`${providerId}-`));
    expect(strangers).toEqual([]);
    this.figures.snapshots++;
  }

  /** The only expected warning: the last known good snapshot is of a provider that was not in the set at the start. */
  #checkWarnings(lines: readonly DaemonLine[], started: IdSet | undefined): void {
    const isDue = ({ code, providerId }: DaemonLine) =>
      code === "STORE_EXPIRED" && started?.includes(String(providerId)) !== true;
    expect(lines.filter((line) => line.kind === "warning" && !isDue(line))).toEqual([]);
  }

  #checkLines(lines: readonly DaemonLine[]): void {
    expect(lines.filter(({ kind }) => kind === "reload_refused")).toEqual([]);
    const events = lines.filter(({ seqNo }) => seqNo !== undefined);
    expect(events.map(({ seqNo }) => seqNo)).toEqual(events.map((_, index) => index + 1));
    const epochs = new Set(events.map(({ epoch = "" }) => epoch));
    expect(epochs.size).toBeLessThanOrEqual(1);
    for (const epoch of epochs) {
      expect(epoch > this.#epoch, "a later epoch sorts after an earlier one").toBe(true);
      this.#epoch = epoch;
    }
    this.figures.events += events.length;
  }
}
