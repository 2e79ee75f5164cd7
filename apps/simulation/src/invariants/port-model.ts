import type { TopologyEvent } from "@holdfast/core";
import { PORTS, type PortName, type Setting } from "../script/script.ts";
import type { Observer } from "../world/observer.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { World } from "../world/world.ts";

interface Standing {
  /** Monotonic milliseconds: since then it has been called, or has owed a success, without a pause. */
  busySince: number;
  isBusy: boolean;
  lastDoneAt: number;
  isExcused: boolean;
  /** Failed tries of each call. */
  readonly failures: Map<string, number>;
  /** A snapshot was tried as often as it has to be, and none has succeeded since. */
  isPostponed: boolean;
  readonly told: Set<number>;
  snapshotSeqNo: number;
}

/**
 * What a port may be given up for, from the outside: it was busy with what was handed over for as long as a call may take, or
 * failed as often as a call is tried. Until it has caught up the others need not wait for it.
 */
export class PortModel implements Observer {
  readonly #world: World;
  readonly #setting: Setting;
  #standings!: Record<PortName, Standing>;
  #notices: number[] = [];
  #snapshotSeqNo = 0;
  readonly #overdue = new Set<PortRecord>();

  constructor(world: World) {
    this.#world = world;
    this.#setting = world.setting;
    this.lifeBegan();
  }

  lifeBegan(): void {
    this.#standings = { partition: begin(), placement: begin(), remoting: begin() };
    this.#notices = [];
    this.#snapshotSeqNo = 0;
    this.#overdue.clear();
  }

  event({ kind, seqNo }: TopologyEvent): void {
    if (kind === "snapshot") this.#snapshotSeqNo = seqNo;
    else if (kind !== "health_changed") this.#notices.push(seqNo);
  }

  callBegan(record: PortRecord): void {
    const { call, life, signal } = record;
    const standing = this.#standings[call.port];
    const now = this.#now();
    // A call that follows at the same moment belongs to the same spell of work.
    if (!standing.isBusy && standing.lastDoneAt !== now) standing.busySince = now;
    standing.isBusy = true;
    signal.addEventListener("abort", () => {
      if (record.outcome !== "pending" || life !== this.#world.life) return;
      this.#overdue.add(record);
      this.#fail(record);
    });
  }

  callEnded(record: PortRecord): void {
    const { call, seqNo, outcome } = record;
    const standing = this.#standings[call.port];
    if (outcome === "failed") {
      if (!this.#overdue.has(record)) this.#fail(record);
      return;
    }
    // Asked before it ends: it has been busy up to now.
    this.isExcused(call.port);
    standing.lastDoneAt = this.#now();
    standing.isBusy = false;
    standing.failures.delete(keyOf(record));
    if (call.method === "applySnapshot") standing.isPostponed = false;
    if (call.method === "notify") standing.told.add(seqNo);
    else if (call.method !== "publishLeases")
      standing.snapshotSeqNo = Math.max(standing.snapshotSeqNo, seqNo);
    const isCaughtUp =
      standing.snapshotSeqNo >= this.#snapshotSeqNo &&
      this.#notices.every((notice) => standing.told.has(notice) || this.isParked(call.port, notice));
    if (isCaughtUp) standing.isExcused = false;
  }

  /** Nothing has to wait for it. */
  isExcused(port: PortName): boolean {
    const standing = this.#standings[port];
    const { isBusy, busySince, lastDoneAt } = standing;
    const forMs = isBusy || lastDoneAt === this.#now() ? this.#now() - busySince : 0;
    // Sums of fractions differ in their last digits.
    if (forMs >= this.#setting.callTimeoutMs - 0.001) standing.isExcused = true;
    return standing.isExcused;
  }

  /** The notice was tried as often as it has to be. */
  isParked(port: PortName, seqNo: number): boolean {
    return this.failuresOf(port, "notify", seqNo) >= this.#setting.callTries;
  }

  /** Later notices may come before the snapshot, or before a newer one that took its place. */
  isPostponed(port: PortName): boolean {
    return this.#standings[port].isPostponed;
  }

  failuresOf(port: PortName, method: string, seqNo: number): number {
    return this.#standings[port].failures.get(`${method} ${seqNo}`) ?? 0;
  }

  /** Some call has failed and has not succeeded since. */
  hasFailed(port: PortName): boolean {
    return this.#standings[port].failures.size > 0;
  }

  /** Monotonic milliseconds of its last success. */
  lastDoneAt(port: PortName): number {
    return this.#standings[port].lastDoneAt;
  }

  /** The service has given the call up: another may begin although it has not ended. */
  isOverdue(record: PortRecord): boolean {
    return this.#overdue.has(record);
  }

  get notices(): readonly number[] {
    return this.#notices;
  }

  wasTold(port: PortName, seqNo: number): boolean {
    return this.#standings[port].told.has(seqNo);
  }

  /** Notices that were given up, at any port. */
  get parked(): number {
    return PORTS.reduce(
      (sum, port) => sum + this.#notices.filter((seqNo) => this.isParked(port, seqNo)).length,
      0,
    );
  }

  #fail(record: PortRecord): void {
    const { call } = record;
    const { failures } = this.#standings[call.port];
    const key = keyOf(record);
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    if (count < this.#setting.callTries || call.method === "notify") return;
    this.#standings[call.port].isExcused = true;
    if (call.method === "applySnapshot") this.#standings[call.port].isPostponed = true;
  }

  #now(): number {
    return this.#world.clock.monotonic();
  }
}

function begin(): Standing {
  return {
    busySince: 0,
    isBusy: false,
    lastDoneAt: -1,
    isExcused: false,
    failures: new Map(),
    isPostponed: false,
    told: new Set(),
    snapshotSeqNo: 0,
  };
}

function keyOf({ call, seqNo }: PortRecord): string {
  return `${call.method} ${seqNo}`;
}
