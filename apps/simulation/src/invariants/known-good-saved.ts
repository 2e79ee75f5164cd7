import type { ProviderDescriptor, TopologyState } from "@holdfast/core";
import type { StopReport } from "@holdfast/provisioning";
import type { Life } from "../world/life.ts";
import { isRestored, type SaveRecord } from "../world/snapshot-record.ts";
import { isSameContent } from "./is-same-content.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

const EPSILON_MS = 0.001;

/**
 * Only current content is saved, with its true source and the time of its provider's last event: nothing stale, held,
 * retained, restored or marked with blocks. Every change is on the disk after the save interval, and after a clean stop
 * the last current content is.
 */
export class KnownGoodSaved implements Invariant {
  readonly name = "known-good-saved";
  readonly requirements = "R3.5 R5.4";
  readonly #context: InvariantContext;
  /** Content of a source that should be saved, and since when. */
  #worth: { readonly key: string; readonly state: TopologyState; readonly sinceMs: number } | undefined;
  /** The state that should be saved when the stop began. */
  #lastState: TopologyState | undefined;
  #saves: SaveRecord[] = [];
  #savedAt = Number.NEGATIVE_INFINITY;
  #tampers = 0;

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#worth = this.#lastState = undefined;
    this.#saves = [];
    this.#savedAt = Number.NEGATIVE_INFINITY;
  }

  saveBegan(record: SaveRecord, life: Life): void {
    const { report, knownGood, world } = this.#context;
    const { snapshot, source, confirmedAt } = record.known;
    if (life.guards.lastKnownGood === undefined)
      report("a snapshot is saved although nothing should be kept");
    if (this.#saves.at(-1)?.outcome === "pending") report("a save begins while another is in progress");
    this.#saves.push(record);
    const state = this.#lastState ?? record.state;
    if (!isWorth(state)) report(`a snapshot of ${snapshot.providerId} is saved that is not current`);
    if (snapshot.retained !== undefined)
      report(`${snapshot.retained.join("")} are saved although they are only retained`);
    if (snapshot.blockedNodes.length > 0) report("blocks are saved");
    const shown = state.snapshot;
    if (shown?.providerId !== snapshot.providerId || !isSameContent(shown.members, snapshot.members))
      report("the saved content differs from the current snapshot");
    const descriptor = descriptorOf(snapshot.providerId, life);
    if (descriptor === undefined || !knownGood.sources.learn(descriptor, source))
      report(`content of ${snapshot.providerId} is saved as that of another source`);
    const wordAt = life.inForce.find(({ descriptor: { id } }) => id === snapshot.providerId)?.confirmedAtWall;
    if (confirmedAt !== wordAt)
      report(`${snapshot.providerId} sent its last event at ${wordAt}, but ${confirmedAt} is saved`);
    this.#tampers = world.files.tampers;
  }

  saveEnded(): void {
    this.#savedAt = this.#now;
  }

  event(_event: unknown, life: Life): void {
    if (!life.isStopping) this.#look(life);
  }

  instantDone(life: Life): void {
    this.stepDone(life);
  }

  stepDone(life: Life): void {
    this.#look(life);
    const worth = this.#worth;
    const { lastKnownGood } = life.guards;
    if (worth === undefined || lastKnownGood === undefined || life.upAt === undefined) return;
    if (this.#saves.at(-1)?.outcome === "pending") return;
    const waitedMs = this.#now - Math.max(worth.sinceMs, this.#savedAt, life.upAt.monotonicMs);
    if (waitedMs > lastKnownGood.saveEveryMs + EPSILON_MS) this.#checkDisk(worth.state, life);
  }

  stopBegins(life: Life): void {
    if (!life.isUp) return;
    this.#look(life);
    this.#lastState = this.#worth?.state;
  }

  lifeStopped(life: Life, { unfinished }: StopReport): void {
    const state = this.#lastState;
    const last = this.#saves.at(-1);
    if (state === undefined || life.guards.lastKnownGood === undefined) return;
    if (unfinished.some((what) => what.startsWith("last known good"))) return;
    if (last?.outcome === "pending")
      this.#context.report("a stop leaves a save in progress without reporting it");
    if (last?.outcome !== "failed") this.#checkDisk(state, life);
  }

  get #now(): number {
    return this.#context.world.clock.monotonic();
  }

  #look(life: Life): void {
    const { state } = life.service.topology;
    const { snapshot } = state;
    const descriptor = snapshot && descriptorOf(snapshot.providerId, life);
    if (snapshot === undefined || descriptor === undefined || !isWorth(state)) {
      this.#worth = undefined;
      return;
    }
    const { high, low } = snapshot.members.sum;
    const key = JSON.stringify([descriptor.id, descriptor.params, high, low]);
    if (this.#worth?.key !== key) this.#worth = { key, state, sinceMs: this.#now };
  }

  /** Does not apply if another process has changed the file since. */
  #checkDisk({ snapshot }: TopologyState, life: Life): void {
    const { report, world, knownGood } = this.#context;
    const filed = world.files.snapshot;
    if (snapshot === undefined || (this.#saves.length > 0 && world.files.tampers !== this.#tampers)) return;
    const descriptor = descriptorOf(snapshot.providerId, life);
    const source = descriptor && knownGood.sources.nameOf(descriptor);
    if (filed === undefined) report("the last current content is not on the disk: there is no file");
    else if (!isSameContent(filed.members, snapshot.members))
      report("the last current content is not on the disk");
    else if (descriptor !== undefined && filed.source !== source)
      report("the last current content is on the disk as that of another source");
  }
}

function isWorth({ snapshot, isStale, holds, status }: TopologyState): boolean {
  if (snapshot === undefined || isStale || isRestored(snapshot)) return false;
  return (status === "ready" || status === "empty") && holds.length === 0 && snapshot.retained === undefined;
}

function descriptorOf(id: string, life: Life): ProviderDescriptor | undefined {
  return life.registered.find((descriptor) => descriptor.id === id);
}
