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

/** What a task may ask while it runs. */
export interface TaskContext {
  /** At most this many tries; fewer for what was given up before. */
  readonly tries: number | undefined;
  /** Something newer has taken the place of what the task is about. */
  readonly isOutdated: () => boolean;
}

/** What is done at one port. Each may reject once the lane has stopped. */
export interface PortTasks {
  applySnapshot(pending: PendingSnapshot, context: TaskContext): Promise<Outcome>;
  notify(notice: TopologyNotice, context: TaskContext): Promise<Outcome>;
  /** What the port lacks besides, and gets before anything that was handed over later. */
  more?(): ((context: TaskContext) => Promise<Outcome>) | undefined;
}

export interface PortWorkerOptions {
  readonly port: PortReport["port"];
  readonly bridge: BridgeOptions;
  readonly tasks: PortTasks;
  readonly signal: AbortSignal;
  /** A newer snapshot is about to be handed over. */
  readonly hasNewer: () => boolean;
}

/** Of these kinds only the newest matters, and a port that works again gets it. */
type StateNotice = Extract<TopologyNotice, { readonly kind: "status_changed" | "provider_changed" }>;

/**
 * Brings one port to what was handed over, one call at a time: every notice and the newest snapshot, in the order of `seqNo`.
 * What fails too often is given up for now: a notice is parked, so that later ones are delivered; a snapshot, or what else
 * is part of the newest state, is tried again later, with backoff, until the port takes it.
 */
export class PortWorker {
  readonly caller: PortCaller;
  readonly #options: PortWorkerOptions;
  readonly #backoff: Backoff;
  readonly #waiting = new Set<() => void>();
  /** Notices that were given up, of kinds that are part of the state. */
  readonly #parkedStates = new Map<StateNotice["kind"], StateNotice>();
  readonly #retried = new WeakSet<TopologyNotice>();
  /** Of the newest status and provider the port acknowledged. */
  readonly #told = new Map<StateNotice["kind"], string>();
  /** Given up since they last succeeded: tried once at a time. */
  readonly #failing = new Set<"snapshot" | "more">();
  /** Not tried before the backoff is over. */
  readonly #postponed = new Set<"snapshot" | "more">();
  #notices: TopologyNotice[] = [];
  #snapshot: PendingSnapshot | undefined;
  #taken: TopologyNotice | PendingSnapshot | undefined;
  #isWorking = false;
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;
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

  /** Nothing waits for this port until it has caught up. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** The port has, or will get, something that it does not have yet. */
  get isBusy(): boolean {
    return this.#isHandling || this.#postponed.size > 0;
  }

  /** What the port has not taken yet. */
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
    this.poke();
  }

  takeNotice(notice: TopologyNotice): void {
    this.#notices.push(notice);
    // The one that is being delivered is not among them.
    while (this.#notices.length > this.caller.policy.maxWaiting) this.#park(this.#notices.shift()!);
    this.poke();
  }

  /** Looks again for what is to do. */
  poke(): void {
    this.#wake?.();
    this.#running ??= this.#run();
  }

  /** Resolves when what was handed over has been taken or given up, or when nothing should wait for this port any longer. */
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

  /** Resolves when there is nothing left to do; a notice that was parked is over. */
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

  /** Forgets everything that waits; for the end. */
  async stop(): Promise<void> {
    this.#notices = [];
    this.#snapshot = undefined;
    this.#parkedStates.clear();
    this.#postponed.clear();
    this.#wake?.();
    await this.#running;
  }

  get #isHandling(): boolean {
    return this.#isWorking || this.#next() !== undefined;
  }

  async #run(): Promise<void> {
    const { signal } = this.#options;
    // Never within the caller's call stack, so that what is handed over together is seen together.
    await Promise.resolve();
    while (!signal.aborted) {
      const next = this.#next();
      if (next !== undefined) {
        await next();
        continue;
      }
      this.#release();
      if (this.#postponed.size === 0 && this.#parkedStates.size === 0) break;
      if (await this.#pause()) this.#takeUpAgain();
    }
    this.#running = undefined;
    this.#release();
  }

  /** The next thing to do, in order; what was postponed is passed over. */
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
    this.#judge("snapshot", outcome);
  }

  async #doMore(task: (context: TaskContext) => Promise<Outcome>): Promise<void> {
    const context = { tries: this.#triesOf("more"), isOutdated: () => this.#snapshot !== undefined };
    const outcome = await this.#guarded(() => task(context));
    this.#judge("more", outcome);
  }

  async #notify(): Promise<void> {
    const notice = this.#notices.shift()!;
    this.#taken = notice;
    const isRetry = this.#retried.has(notice);
    const due = isRetry ? this.#fromWhatItKnows(notice) : notice;
    const context = { tries: isRetry ? 1 : undefined, isOutdated: () => false };
    const outcome = due && (await this.#guarded(() => this.#options.tasks.notify(due, context)));
    this.#taken = undefined;
    if (outcome === "failed") return this.#park(notice);
    if (!isState(notice)) return;
    this.#told.set(notice.kind, notice.to);
    const parked = this.#parkedStates.get(notice.kind);
    if (parked !== undefined && parked.seqNo < notice.seqNo) this.#parkedStates.delete(notice.kind);
    if (this.#postponed.size > 0 || this.#parkedStates.size > 0) this.#backoff.reset();
  }

  /** A notice that was parked, as a change from what the port knows; `undefined` when it is none for the port. */
  #fromWhatItKnows(notice: TopologyNotice): TopologyNotice | undefined {
    if (!isState(notice)) return notice;
    const from = this.#told.get(notice.kind) ?? notice.from;
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
      this.caller.tell(
        new ProvisioningError(
          "LIFECYCLE_NOTICE_PARKED",
          `${port} could not be notified of ${kind} of tick ${seqNo}; later notices are delivered`,
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

  #judge(what: "snapshot" | "more", outcome: Outcome): void {
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

  /** Waits for the backoff; false when there is something to do before it is over. */
  async #pause(): Promise<boolean> {
    const { bridge, signal } = this.#options;
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    try {
      const either = AbortSignal.any([signal, woken.signal]);
      await sleep(this.#backoff.nextMs(), { clock: bridge.clock, signal: either });
      return true;
    } catch {
      return false;
    } finally {
      this.#wake = undefined;
    }
  }

  #takeUpAgain(): void {
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
      this.caller.tell(
        new ProvisioningError(
          "LIFECYCLE_CONSUMER_BEHIND",
          `${port} has not taken tick ${seqNo} in time; nothing waits for it until it has caught up`,
          { details: { port, seqNo } },
        ),
      );
    }
    for (const resolve of this.#waiting) resolve();
  }

  /** Nothing is left that could be done now. */
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
        this.caller.tell(toProvisioningError(error, "LIFECYCLE_INTERNAL", message));
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
