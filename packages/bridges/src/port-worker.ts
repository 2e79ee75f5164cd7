import {
  createBackoff,
  ProvisioningError,
  sleep,
  toProvisioningError,
  untilAborted,
  type Backoff,
  type PortReport,
  type TopologyNotice,
} from "@holdfast/core";
import type { BridgeOptions } from "./bridge-options.ts";
import { PortCaller, type CallOutcome } from "./port-caller.ts";
import type { PendingSnapshot } from "./snapshot-tick.ts";

type Outcome = CallOutcome<unknown>["kind"];

/** What a task can query while it runs. */
export interface TaskContext {
  /** Maximum number of tries; undefined for the policy's number. It is lower for an item that was given up before. */
  readonly tries: number | undefined;
  /** True when something newer has replaced the subject of the task. */
  readonly isOutdated: () => boolean;
}

/** The calls of one port. The promises may reject once the lane has stopped. */
export interface PortTasks {
  applySnapshot(pending: PendingSnapshot, context: TaskContext): Promise<Outcome>;
  notify(notice: TopologyNotice, context: TaskContext): Promise<Outcome>;
  /** Returns another task that is due, if there is one. It runs before anything that was passed to the worker later. */
  more?(): ((context: TaskContext) => Promise<Outcome>) | undefined;
}

export interface PortWorkerOptions {
  readonly port: PortReport["port"];
  readonly bridge: BridgeOptions;
  readonly tasks: PortTasks;
  readonly signal: AbortSignal;
  /** True when the lane already has a newer snapshot. */
  readonly hasNewer: () => boolean;
}

/** Kinds of notices of which only the newest matters. A port that works again receives that one. */
type StateNotice = Extract<TopologyNotice, { readonly kind: "status_changed" | "provider_changed" }>;

/**
 * Delivers to one port what the lane passes on, one call at a time: every notice and the newest snapshot, in the order
 * of `seqNo`. An item that fails too often is given up for the time being. A notice is parked, so that later ones are
 * delivered. A snapshot, or another part of the newest state, is retried later with backoff until the port accepts it.
 */
export class PortWorker {
  readonly caller: PortCaller;
  readonly #options: PortWorkerOptions;
  readonly #backoff: Backoff;
  readonly #waiting = new Set<() => void>();
  /** Parked notices of the kinds that are part of the state. */
  readonly #parkedStates = new Map<StateNotice["kind"], StateNotice>();
  readonly #retried = new WeakSet<TopologyNotice>();
  /** The newest status and provider that the port acknowledged. */
  readonly #acknowledged = new Map<StateNotice["kind"], string>();
  /** Items that were given up and have not succeeded since. They get one try at a time. */
  readonly #failing = new Set<"snapshot" | "more">();
  /** Items that are not retried before the backoff has elapsed. */
  readonly #postponed = new Set<"snapshot" | "more">();
  #notices: TopologyNotice[] = [];
  #snapshot: PendingSnapshot | undefined;
  #taken: TopologyNotice | PendingSnapshot | undefined;
  #isWorking = false;
  #running: Promise<void> | undefined;
  #endPause: (() => void) | undefined;
  readonly #draining = new Set<() => void>();
  #isBehind = false;
  #seqNo = 0;
  #parked = 0;

  constructor(options: PortWorkerOptions) {
    const { port, bridge, signal } = options;
    const { random, backoff: { initialMs = 100, maxMs = 30_000, factor } = {} } = bridge;
    this.#options = options;
    this.caller = new PortCaller(port, bridge, signal);
    this.#backoff = createBackoff({ initialMs, maxMs, factor, random });
  }

  /** True while the lane does not wait for this port, because it has not caught up. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** True while there is anything left to deliver to the port. */
  get isBusy(): boolean {
    return this.#isHandling || this.#postponed.size > 0;
  }

  /** The items that the port has not accepted yet. */
  get unfinished(): readonly (TopologyNotice | PendingSnapshot)[] {
    const snapshot = this.#snapshot === this.#taken ? undefined : this.#snapshot;
    return [this.#taken, snapshot, ...this.#notices].filter((item) => item !== undefined);
  }

  report(): PortReport {
    return {
      ...this.caller.report(),
      isBehind: this.#isBehind,
      seqNo: this.#seqNo,
      waiting: this.#notices.length,
      parked: this.#parked,
    };
  }

  takeSnapshot(pending: PendingSnapshot): void {
    this.#snapshot = pending;
    this.wake();
  }

  takeNotice(notice: TopologyNotice): void {
    this.#notices.push(notice);
    // The notice that is being delivered is not in the queue.
    while (this.#notices.length > this.caller.policy.maxWaiting) this.#park(this.#notices.shift()!);
    this.wake();
  }

  /** Starts the worker if it is idle, or ends its pause, so that it looks for work again. */
  wake(): void {
    this.#endPause?.();
    this.#running ??= this.#run();
  }

  /**
   * Resolves when everything passed to the worker has been accepted or given up, or when the lane should no longer wait
   * for this port.
   */
  async handled(): Promise<void> {
    const { bridge, signal } = this.#options;
    if (this.#isBehind || !this.#isHandling) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    using _ = bridge.clock.schedule(this.caller.policy.timeoutMs, () => this.#fallBehind());
    try {
      await untilAborted(promise, signal);
    } finally {
      this.#waiting.delete(resolve);
    }
  }

  /** Resolves when nothing is left to deliver. A parked notice does not count. */
  async drained(signal: AbortSignal): Promise<void> {
    while (this.isBusy && this.#running !== undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#draining.add(resolve);
      try {
        await untilAborted(promise, signal);
      } finally {
        this.#draining.delete(resolve);
      }
    }
  }

  /** Drops everything that waits, and ends the worker. */
  async stop(): Promise<void> {
    this.#notices = [];
    this.#snapshot = undefined;
    this.#parkedStates.clear();
    this.#postponed.clear();
    this.#endPause?.();
    await this.#running;
  }

  get #isHandling(): boolean {
    return this.#isWorking || this.#next() !== undefined;
  }

  async #run(): Promise<void> {
    const { signal } = this.#options;
    // Not within the caller's call stack, so that items passed together are handled together.
    await Promise.resolve();
    while (!signal.aborted) {
      const next = this.#next();
      if (next !== undefined) {
        await next();
        continue;
      }
      this.#release();
      if (this.#postponed.size === 0 && this.#parkedStates.size === 0) break;
      if (await this.#pause()) this.#retryPostponed();
    }
    this.#running = undefined;
    this.#release();
  }

  /** Returns the next task in order, without postponed ones. */
  #next(): (() => Promise<void>) | undefined {
    const more = this.#postponed.has("more") ? undefined : this.#options.tasks.more?.();
    if (more !== undefined) return () => this.#doMore(more);
    const snapshot = this.#postponed.has("snapshot") ? undefined : this.#snapshot;
    const notice = this.#notices[0];
    if (snapshot !== undefined && (notice === undefined || snapshot.seqNo < notice.seqNo)) {
      return () => this.#applySnapshot(snapshot);
    }
    return notice && (() => this.#notify());
  }

  async #applySnapshot(pending: PendingSnapshot): Promise<void> {
    const isOutdated = () => this.#snapshot !== pending || (!this.#isBehind && this.#options.hasNewer());
    this.#taken = pending;
    const outcome = await this.#guarded(() =>
      this.#options.tasks.applySnapshot(pending, { tries: this.#triesOf("snapshot"), isOutdated }),
    );
    this.#taken = undefined;
    if (outcome === "done") this.#seqNo = pending.seqNo;
    if (outcome !== "failed" && this.#snapshot === pending) this.#snapshot = undefined;
    this.#recordOutcome("snapshot", outcome);
  }

  async #doMore(task: (context: TaskContext) => Promise<Outcome>): Promise<void> {
    const context = { tries: this.#triesOf("more"), isOutdated: () => this.#snapshot !== undefined };
    const outcome = await this.#guarded(() => task(context));
    this.#recordOutcome("more", outcome);
  }

  async #notify(): Promise<void> {
    const notice = this.#notices.shift()!;
    this.#taken = notice;
    const isRetry = this.#retried.has(notice);
    const due = isRetry ? this.#relativeToKnown(notice) : notice;
    const context = { tries: isRetry ? 1 : undefined, isOutdated: () => false };
    const outcome = due && (await this.#guarded(() => this.#options.tasks.notify(due, context)));
    this.#taken = undefined;
    if (outcome === "failed") return this.#park(notice);
    if (!isState(notice)) return;
    this.#acknowledged.set(notice.kind, notice.to);
    const parked = this.#parkedStates.get(notice.kind);
    if (parked !== undefined && parked.seqNo < notice.seqNo) this.#parkedStates.delete(notice.kind);
    if (this.#postponed.size > 0 || this.#parkedStates.size > 0) this.#backoff.reset();
  }

  /**
   * Rewrites a parked notice as a change from what the port knows. Returns `undefined` when nothing changes for the
   * port.
   */
  #relativeToKnown(notice: TopologyNotice): TopologyNotice | undefined {
    if (!isState(notice)) return notice;
    const from = this.#acknowledged.get(notice.kind) ?? notice.from;
    if (from === notice.to) return undefined;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `from` is a `to` of the same kind of notice
    return from === notice.from ? notice : ({ ...notice, from } as StateNotice);
  }

  #park(notice: TopologyNotice): void {
    if (!this.#retried.has(notice)) {
      this.#retried.add(notice);
      this.#parked++;
      const { port } = this.#options;
      const { kind, seqNo } = notice;
      this.caller.reportError(
        new ProvisioningError(
          "LIFECYCLE_NOTICE_PARKED",
          `${port} could not be notified of ${kind} of tick ${seqNo}; later notices will be delivered`,
          { details: { port, kind, seqNo, parked: this.#parked } },
        ),
      );
    }
    if (!isState(notice)) return;
    const known = this.#parkedStates.get(notice.kind);
    if (known === undefined || known.seqNo < notice.seqNo) this.#parkedStates.set(notice.kind, notice);
  }

  #triesOf(what: "snapshot" | "more"): number | undefined {
    return this.#failing.has(what) ? 1 : undefined;
  }

  #recordOutcome(what: "snapshot" | "more", outcome: Outcome): void {
    if (outcome === "done") {
      this.#failing.delete(what);
      this.#postponed.delete(what);
      if (this.#postponed.size === 0) this.#backoff.reset();
    }
    if (outcome !== "failed") return;
    this.#failing.add(what);
    this.#postponed.add(what);
    this.#fallBehind();
  }

  /** Waits for the backoff. Returns false when there is work to do before it has elapsed. */
  async #pause(): Promise<boolean> {
    const { bridge, signal } = this.#options;
    const woken = new AbortController();
    this.#endPause = () => woken.abort();
    try {
      const either = AbortSignal.any([signal, woken.signal]);
      await sleep(this.#backoff.nextMs(), { clock: bridge.clock, signal: either });
      return true;
    } catch {
      return false;
    } finally {
      this.#endPause = undefined;
    }
  }

  #retryPostponed(): void {
    this.#postponed.clear();
    const states = [...this.#parkedStates.values()].sort((a, b) => a.seqNo - b.seqNo);
    this.#parkedStates.clear();
    this.#notices.unshift(...states);
  }

  #fallBehind(): void {
    if (!this.#isBehind) {
      this.#isBehind = true;
      const { port } = this.#options;
      const seqNo = this.#taken?.seqNo ?? this.#snapshot?.seqNo ?? this.#seqNo;
      this.caller.reportError(
        new ProvisioningError(
          "LIFECYCLE_CONSUMER_BEHIND",
          `${port} did not accept tick ${seqNo} in time; others do not wait for it until it has caught up`,
          { details: { port, seqNo } },
        ),
      );
    }
    for (const resolve of this.#waiting) resolve();
  }

  /**
   * Called when no work can be done now: resolves the promises of `handled` and, if nothing is postponed, of `drained`.
   */
  #release(): void {
    if (this.#postponed.size === 0) {
      this.#isBehind = false;
      for (const resolve of this.#draining) resolve();
    }
    for (const resolve of this.#waiting) resolve();
  }

  async #guarded(work: () => Promise<Outcome>): Promise<Outcome> {
    this.#isWorking = true;
    try {
      return await work();
    } catch (error) {
      if (!this.#options.signal.aborted) {
        const message = `a call of ${this.#options.port} failed`;
        this.caller.reportError(toProvisioningError(error, "LIFECYCLE_INTERNAL", message));
      }
      return "outdated";
    } finally {
      this.#isWorking = false;
    }
  }
}

function isState(notice: TopologyNotice): notice is StateNotice {
  return notice.kind === "status_changed" || notice.kind === "provider_changed";
}
