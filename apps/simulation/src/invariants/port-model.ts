import type { TopologyEvent } from "@holdfast/core";
import { PORTS, type PortName, type Setting } from "../script/script.ts";
import type { Observer } from "../world/observer.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { World } from "../world/world.ts";

interface PortState {
  /** Monotonic milliseconds since when it has been called, or has had unfinished work, without a pause. */
  busySince: number;
  isBusy: boolean;
  lastDoneAt: number;
  isExcused: boolean;
  /** Number of failed tries of each call. */
  readonly failures: Map<string, number>;
  /** All tries of a snapshot were used up, and none has succeeded since. */
  isPostponed: boolean;
  readonly delivered: Set<number>;
  snapshotSeqNo: number;
}

/**
 * Determines from outside when a port may be given up: it was busy for as long as a call may take, or failed as often
 * as a call is tried. Until it has caught up the others need not wait for it.
 */
export class PortModel implements Observer {
  readonly #world: World;
  readonly #setting: Setting;
  #states!: Record<PortName, PortState>;
  #notices: number[] = [];
  #snapshotSeqNo = 0;
  readonly #overdue = new Set<PortRecord>();

  constructor(world: World) {
    this.#world = world;
    this.#setting = world.setting;
    this.lifeBegan();
  }

  lifeBegan(): void {
    this.#states = { partition: begin(), placement: begin(), remoting: begin() };
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
    const state = this.#states[call.port];
    const now = this.#now();
    // A call that follows at the same moment belongs to the same period of work.
    if (!state.isBusy && state.lastDoneAt !== now) state.busySince = now;
    state.isBusy = true;
    signal.addEventListener("abort", () => {
      if (record.outcome !== "pending" || life !== this.#world.life) return;
      this.#overdue.add(record);
      this.#fail(record);
    });
  }

  callEnded(record: PortRecord): void {
    const { call, seqNo, outcome } = record;
    const state = this.#states[call.port];
    if (outcome === "failed") {
      if (!this.#overdue.has(record)) this.#fail(record);
      return;
    }
    // Evaluated before the call ends, because the port has been busy until now.
    this.isExcused(call.port);
    state.lastDoneAt = this.#now();
    state.isBusy = false;
    state.failures.delete(keyOf(record));
    if (call.method === "applySnapshot") state.isPostponed = false;
    if (call.method === "notify") state.delivered.add(seqNo);
    else if (call.method !== "publishLeases") state.snapshotSeqNo = Math.max(state.snapshotSeqNo, seqNo);
    const isCaughtUp =
      state.snapshotSeqNo >= this.#snapshotSeqNo &&
      this.#notices.every((notice) => state.delivered.has(notice) || this.isParked(call.port, notice));
    if (isCaughtUp) state.isExcused = false;
  }

  /** True when nothing has to wait for the port. */
  isExcused(port: PortName): boolean {
    const state = this.#states[port];
    const { isBusy, busySince, lastDoneAt } = state;
    const forMs = isBusy || lastDoneAt === this.#now() ? this.#now() - busySince : 0;
    // The tolerance is for rounding errors of sums.
    if (forMs >= this.#setting.callTimeoutMs - 0.001) state.isExcused = true;
    return state.isExcused;
  }

  /** True when all tries of the notice were used up. */
  isParked(port: PortName, seqNo: number): boolean {
    return this.failuresOf(port, "notify", seqNo) >= this.#setting.callTries;
  }

  /** True when later notices may come before the snapshot, or before a newer one that replaced it. */
  isPostponed(port: PortName): boolean {
    return this.#states[port].isPostponed;
  }

  failuresOf(port: PortName, method: string, seqNo: number): number {
    return this.#states[port].failures.get(`${method} ${seqNo}`) ?? 0;
  }

  /** True when a call has failed and has not succeeded since. */
  hasFailed(port: PortName): boolean {
    return this.#states[port].failures.size > 0;
  }

  /** Monotonic milliseconds of its last success. */
  lastDoneAt(port: PortName): number {
    return this.#states[port].lastDoneAt;
  }

  /** True when the service has given the call up: another one may begin although it has not ended. */
  isOverdue(record: PortRecord): boolean {
    return this.#overdue.has(record);
  }

  get notices(): readonly number[] {
    return this.#notices;
  }

  wasDelivered(port: PortName, seqNo: number): boolean {
    return this.#states[port].delivered.has(seqNo);
  }

  /** Total number of parked notices. */
  get parked(): number {
    return PORTS.reduce(
      (sum, port) => sum + this.#notices.filter((seqNo) => this.isParked(port, seqNo)).length,
      0,
    );
  }

  #fail(record: PortRecord): void {
    const { call } = record;
    const { failures } = this.#states[call.port];
    const key = keyOf(record);
    const count = (failures.get(key) ?? 0) + 1;
    failures.set(key, count);
    if (count < this.#setting.callTries || call.method === "notify") return;
    this.#states[call.port].isExcused = true;
    if (call.method === "applySnapshot") this.#states[call.port].isPostponed = true;
  }

  #now(): number {
    return this.#world.clock.monotonic();
  }
}

function begin(): PortState {
  return {
    busySince: 0,
    isBusy: false,
    lastDoneAt: -1,
    isExcused: false,
    failures: new Map(),
    isPostponed: false,
    delivered: new Set(),
    snapshotSeqNo: 0,
  };
}

function keyOf({ call, seqNo }: PortRecord): string {
  return `${call.method} ${seqNo}`;
}
