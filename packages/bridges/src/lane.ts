import {
  callIsolated,
  ProvisioningError,
  toProvisioningError,
  untilAborted,
  type PortReport,
  type TopologyEvent,
  type TopologyNotice,
  type TopologyStatus,
} from "@holdfast/core";
import type { BridgeOptions, DrainOptions, DrainReport } from "./bridge-options.ts";
import { PortWorker, type PortTasks } from "./port-worker.ts";
import { SequenceGuard } from "./sequence-guard.ts";
import type { PendingSnapshot } from "./snapshot-tick.ts";

/**
 * Receives the events that the lane takes from the log, one at a time. The promises may reject once the lane has
 * stopped.
 */
export interface LaneHandlers {
  applySnapshot(pending: PendingSnapshot): Promise<void> | void;
  notify(notice: TopologyNotice): Promise<void> | void;
  /** Called synchronously when an event has arrived, a drain has begun, or the lane has stopped. */
  onChange?(): void;
}

/**
 * Reads the log and passes it on to its ports: every notice, but only the newest snapshot. Items are taken in the order
 * of `seqNo`. A new snapshot replaces one that is still waiting, so behind a slow port only notices accumulate.
 */
export class Lane implements AsyncDisposable {
  readonly #name: string;
  readonly #options: BridgeOptions;
  readonly #handlers: LaneHandlers;
  readonly #guard: SequenceGuard;
  readonly #stop = new AbortController();
  readonly #workers: PortWorker[] = [];
  readonly #unsubscribe: () => void;
  #notices: TopologyNotice[] = [];
  #snapshot: PendingSnapshot | undefined;
  #status: TopologyStatus;
  #taken: TopologyNotice | PendingSnapshot | undefined;
  #running: Promise<void> | undefined;
  #isDraining = false;

  /** Starts with the current state of the source: its snapshot, then its status. */
  constructor(name: string, options: BridgeOptions, handlers: LaneHandlers) {
    this.#name = name;
    this.#options = options;
    this.#handlers = handlers;
    const { epoch, seqNo, status, statusReason, isStale, snapshot, snapshotSeqNo } = options.source.state;
    this.#guard = new SequenceGuard({ epoch, seqNo });
    this.#status = status;
    this.#unsubscribe = options.source.onEvent((event) => this.#receive(event));
    if (snapshot !== undefined) {
      this.#snapshot = { kind: "snapshot", epoch, seqNo: snapshotSeqNo, snapshot, status };
    }
    if (status !== "starting") {
      const at = options.clock.now();
      const change = { from: "starting", to: status, isStale, reason: statusReason } as const;
      this.#notices.push({
        kind: "status_changed",
        ...change,
        snapshotHash: snapshot?.hash,
        epoch,
        seqNo,
        at,
      });
    }
    this.#wake();
  }

  /** True while a newer snapshot is waiting. */
  get hasNewer(): boolean {
    return this.#snapshot !== undefined;
  }

  /** The status after the last event that this lane received. The notice of the change may not have been delivered to the port yet. */
  get status(): TopologyStatus {
    return this.#status;
  }

  /** The reason why this lane accepts no more work; undefined until it drains or has stopped. */
  get refusal(): ProvisioningError | undefined {
    if (this.#stop.signal.aborted) return this.#error("LIFECYCLE_STOPPED", "was stopped");
    if (this.#isDraining) return this.#error("LIFECYCLE_SHUTTING_DOWN", "is draining");
    return undefined;
  }

  /** One report for each port. */
  get ports(): readonly PortReport[] {
    return this.#workers.map((worker) => worker.report());
  }

  /** Creates the worker that delivers to one port. It stops with the lane. */
  createWorker(port: PortReport["port"], tasks: PortTasks): PortWorker {
    const { signal } = this.#stop;
    const hasNewer = () => this.hasNewer;
    const worker = new PortWorker({ port, bridge: this.#options, tasks, signal, hasNewer });
    this.#workers.push(worker);
    return worker;
  }

  /**
   * Refuses new snapshots from now on. Resolves when everything that was waiting has been delivered or given up. When
   * the signal aborts first, the lane stops, calls in progress are abandoned, and the result names what was left.
   */
  async drain({ signal }: DrainOptions): Promise<DrainReport> {
    this.#isDraining = true;
    this.#handlers.onChange?.();
    try {
      do {
        while (this.#running !== undefined) await untilAborted(this.#running, signal);
        for (const worker of this.#workers) await worker.drained(signal);
      } while (this.#running !== undefined || this.#workers.some((worker) => worker.isBusy));
      return { unfinished: [] };
    } catch {
      const unfinished = this.#listUnfinished();
      await this.#stopWith(this.#error("LIFECYCLE_DRAIN_DEADLINE", "did not drain in time"));
      return { unfinished };
    }
  }

  /** Stops at once; calls in progress are abandoned. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopWith(this.#error("LIFECYCLE_STOPPED", "was stopped"));
  }

  async #stopWith(reason: ProvisioningError): Promise<void> {
    if (!this.#stop.signal.aborted) {
      this.#unsubscribe();
      this.#stop.abort(reason);
      this.#notices = [];
      this.#snapshot = undefined;
      this.#handlers.onChange?.();
    }
    await this.#running;
    await Promise.all(this.#workers.map((worker) => worker.stop()));
  }

  #receive(event: TopologyEvent): void {
    try {
      this.#guard.accept(event);
    } catch (error) {
      this.#report(error);
      return;
    }
    if (event.kind === "snapshot") {
      const { kind, epoch, seqNo, snapshot, previousHash: from, delta } = event;
      if (this.#isDraining) {
        this.#report(this.#error("LIFECYCLE_SHUTTING_DOWN", `refused the snapshot of tick ${seqNo}`));
        return;
      }
      const { status } = this.#options.source.state;
      this.#snapshot = { kind, epoch, seqNo, snapshot, status, step: { from, delta } };
    } else if (event.kind !== "health_changed") {
      if (event.kind === "status_changed") this.#status = event.to;
      this.#notices.push(event);
    }
    this.#handlers.onChange?.();
    this.#wake();
  }

  #wake(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // Not within the emitter's call stack, so that events emitted together are handled together.
    await Promise.resolve();
    while ((this.#taken = this.#takeNext()) !== undefined) {
      try {
        if (this.#taken.kind === "snapshot") await this.#handlers.applySnapshot(this.#taken);
        else await this.#handlers.notify(this.#taken);
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#report(error);
      }
    }
    this.#running = undefined;
  }

  #takeNext(): TopologyNotice | PendingSnapshot | undefined {
    const notice = this.#notices[0];
    const snapshot = this.#snapshot;
    if (snapshot === undefined || (notice !== undefined && notice.seqNo < snapshot.seqNo)) {
      return this.#notices.shift();
    }
    this.#snapshot = undefined;
    return snapshot;
  }

  /** One line for each tick that a port has not taken, with the calls that are in progress for it. */
  #listUnfinished(): string[] {
    const own = [this.#taken, this.#snapshot, ...this.#notices].filter((item) => item !== undefined);
    const items = new Set([...own, ...this.#workers.flatMap(({ unfinished }) => unfinished)]);
    const calls = this.#workers.flatMap(({ caller }) => {
      const { current } = caller;
      return current === undefined ? [] : { seqNo: current.seqNo, name: `${caller.port}.${current.call}` };
    });
    const lines = [...items]
      .sort((a, b) => a.seqNo - b.seqNo)
      .map(({ kind, seqNo }) => {
        const names = calls.filter((call) => call.seqNo === seqNo).map(({ name }) => name);
        return `${kind} of tick ${seqNo}${names.length === 0 ? "" : ` (in ${names.join(", ")})`}`;
      });
    const seqNos = new Set([...items].map(({ seqNo }) => seqNo));
    for (const { seqNo, name } of calls) {
      if (!seqNos.has(seqNo)) lines.unshift(`tick ${seqNo} (in ${name})`);
    }
    for (const { isBehind, caller, unfinished } of this.#workers) {
      const isNamed = caller.current !== undefined || unfinished.length > 0;
      if (isBehind && !isNamed) lines.push(`the newest state (${caller.port} fails)`);
    }
    return lines.map((line) => `${this.#name}: ${line}`);
  }

  #error(
    code: "LIFECYCLE_STOPPED" | "LIFECYCLE_SHUTTING_DOWN" | "LIFECYCLE_DRAIN_DEADLINE",
    what: string,
  ): ProvisioningError {
    return new ProvisioningError(code, `the ${this.#name} lane ${what}`, { details: { lane: this.#name } });
  }

  #report(error: unknown): void {
    const known = toProvisioningError(error, "LIFECYCLE_INTERNAL", `the ${this.#name} lane failed`);
    callIsolated(() => this.#options.onError?.(known));
  }
}
