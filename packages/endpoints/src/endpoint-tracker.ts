import {
  callIsolated,
  createTypedEvents,
  ProvisioningError,
  systemClock,
  systemRandom,
  toAbortError,
  whenAborted,
  type Clock,
  type NodeId,
  type ProviderSnapshot,
  type Random,
  type ReadOptions,
  type TopologySource,
  type TopologyState,
  type TypedEvents,
  type Unsubscribe,
} from "@holdfast/core";
import type { CallReport } from "./call-report.ts";
import { BlockSync } from "./ejection/block-sync.ts";
import { toEjectionSettings } from "./ejection/ejection-options.ts";
import { Ejections } from "./ejection/ejections.ts";
import { explainEndpoint, type EndpointExplanation } from "./explain-endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import type { EndpointsOptions } from "./endpoints-options.ts";
import type { EndpointsState } from "./endpoints-state.ts";
import type { Endpoints } from "./endpoints.ts";
import type { CallSink } from "./picking/call-pick.ts";
import type { Picker } from "./picking/picker.ts";
import { StrategyPicker } from "./picking/strategy-picker.ts";
import type { PickStrategyFactory } from "./picking/target.ts";
import { isSameForCallers, isSameState, toClosedState, toState } from "./to-state.ts";
import { Selector, type Selected } from "./selection/selector.ts";
import { withOverrides, type StatusEffects } from "./selection/status-effects.ts";
import { ZoneCallers } from "./zone-callers.ts";

/** Connects the decisions with the topology, the clock and the callers. */
export class EndpointTracker implements Endpoints {
  readonly #topology: TopologySource;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #effects: StatusEffects;
  readonly #keepUnavailableMs: number;
  readonly #zone: string | undefined;
  readonly #callers: ZoneCallers;
  readonly #selector: Selector;
  readonly #ejections: Ejections;
  readonly #blocks: BlockSync | undefined;
  readonly #sink: CallSink;
  readonly #events: TypedEvents<{ change: EndpointsState }>;
  readonly #unsubscribe: readonly Unsubscribe[];
  #state: EndpointsState;
  #notified: EndpointsState;
  #selected: Selected | undefined;
  /** Since when the topology is unavailable, and until when its members are used. */
  #outage: Outage | undefined;
  /** Something has changed since the last evaluation. */
  #isDirty = false;
  #isFlushDue = false;
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: EndpointsOptions) {
    const { topology, zone, subset, clock = systemClock, random = systemRandom, onWarning, blocks } = options;
    this.#topology = topology;
    this.#clock = clock;
    this.#random = random;
    this.#effects = withOverrides(options.statusEffects);
    this.#keepUnavailableMs = options.keepUnavailableMs ?? 3_600_000;
    this.#zone = typeof zone === "object" ? zone.name : zone;
    this.#callers = new ZoneCallers(typeof zone === "object" ? zone.callers : undefined);
    this.#selector = new Selector({
      zone: this.#zone,
      subset: subset && { size: subset.size, clientId: subset.clientId ?? String(random()) },
      slowStart: options.slowStart,
      panicShare: options.panicShare ?? 0.5,
    });
    const settings = options.ejection === false ? undefined : toEjectionSettings(options.ejection);
    this.#ejections = new Ejections({ settings, clock, random });
    const warn = (what: string) => (cause: unknown) => {
      callIsolated(() => onWarning?.(new ProvisioningError("LIFECYCLE_CONSUMER_FAILED", what, { cause })));
    };
    this.#blocks =
      blocks &&
      settings &&
      new BlockSync(blocks, settings.maxBlockedShare, warn("blocking a node threw an error"));
    this.#events = createTypedEvents(warn("a listener of the endpoints threw an error"));
    this.#sink = {
      inFlight: 0,
      clock: settings?.latency && clock,
      finish: (record, outcome, latencyMs) => {
        if (settings === undefined || this.#isClosed) return;
        if (this.#ejections.finish(record, outcome, latencyMs, clock.monotonic())) this.#markDirty();
      },
    };
    this.#state = this.#notified = this.#evaluate();
    const onTopology = () => this.#markDirty();
    this.#unsubscribe = [topology.onEvent(onTopology), this.#callers.onChange(onTopology)];
    this.#schedule();
  }

  get state(): EndpointsState {
    if (!this.#isClosed) this.#refresh();
    return this.#state;
  }

  onChange(listener: (state: EndpointsState) => unknown): Unsubscribe {
    return this.#events.on("change", listener);
  }

  async ready({ signal }: ReadOptions = {}): Promise<EndpointsState> {
    if (this.state.isUsable) return this.state;
    if (signal?.aborted === true) throw this.#toUnreadyError(signal);
    const { promise, resolve, reject } = Promise.withResolvers<EndpointsState>();
    const check = () => {
      if (this.#state.isUsable) resolve(this.#state);
      else if (this.#state.status === "stopped") reject(this.refusal());
    };
    const unsubscribe = this.onChange(check);
    using _ = whenAborted(signal, () => reject(this.#toUnreadyError(signal!)));
    try {
      check();
      return await promise;
    } finally {
      unsubscribe();
    }
  }

  refusal(): ProvisioningError | undefined {
    const { refusal } = this.state;
    return (
      refusal && new ProvisioningError(refusal.code, refusal.message, { details: refusal.details ?? {} })
    );
  }

  explain(nodeId: NodeId): EndpointExplanation {
    const { state } = this;
    const now = this.#clock.monotonic();
    return explainEndpoint(nodeId, {
      topology: this.#topology.state,
      state,
      selected: this.#selected,
      zone: this.#zone,
      phase: this.#ejections.phaseOf(nodeId),
      inFlight: this.#ejections.recordOf(nodeId)?.inFlight ?? 0,
      ramp: this.#selector.rampOf(nodeId, now),
      now,
    });
  }

  report({ nodeId, outcome, latencyMs }: CallReport): void {
    const record = this.#ejections.recordFor(nodeId, this.#state.endpoints);
    if (record === undefined) return;
    // A call that began before the last ejection says nothing about the member since then.
    const isCurrent = latencyMs === undefined || this.#clock.monotonic() - latencyMs >= record.phase.since;
    if (isCurrent) this.#sink.finish(record, outcome, latencyMs);
  }

  picker(strategy: PickStrategyFactory): Picker {
    return new StrategyPicker({
      strategy,
      random: this.#random,
      ejections: this.#ejections,
      sink: this.#sink,
      endpoints: () => this.#usable(),
    });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#timer?.task[Symbol.dispose]();
    this.#blocks?.clear();
    this.#state = toClosedState(this.#state);
    this.#notify();
    this.#events.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The endpoints for a new call, without the cost of `state`. */
  #usable(): readonly Endpoint[] | undefined {
    if (this.#isDirty) this.#refresh();
    const { isUsable, endpoints } = this.#state;
    return isUsable ? endpoints : undefined;
  }

  #toUnreadyError(signal: AbortSignal): ProvisioningError {
    const { refusal } = this.state;
    if (refusal === undefined) return toAbortError(signal);
    const { code, message, details = {} } = refusal;
    return new ProvisioningError(code, `no endpoint became usable in time: ${message}`, {
      cause: signal.reason,
      details,
    });
  }

  /** Many events of one moment lead to one evaluation, after all of them were applied. */
  #markDirty(): void {
    this.#isDirty = true;
    if (this.#isFlushDue || this.#isClosed) return;
    this.#isFlushDue = true;
    queueMicrotask(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isClosed) return;
    this.#refresh();
    this.#blocks?.apply(this.#ejections.ejectedIds(), this.#topology.state.snapshot);
    this.#schedule();
    this.#notify();
  }

  #refresh(): void {
    this.#isDirty = false;
    const next = this.#evaluate();
    if (!isSameState(this.#state, next)) this.#state = next;
  }

  #evaluate(): EndpointsState {
    const topology = this.#topology.state;
    const now = this.#clock.monotonic();
    if (topology.snapshot !== undefined) this.#selected = this.#select(topology.snapshot, now);
    const outage = this.#trackOutage(topology, now);
    return toState({
      topology,
      selected: this.#selected,
      effects: this.#effects,
      isKeepOver: outage !== undefined && now >= outage.endsAt,
      keptUntil: outage?.until,
    });
  }

  #select(snapshot: ProviderSnapshot, now: number): Selected {
    const delta = this.#selector.take(snapshot, now);
    if (delta !== undefined) this.#ejections.forget(delta);
    this.#ejections.advance(now);
    const callers = this.#callers.counts;
    const selected = this.#selector.select({ outs: this.#ejections.outs, callers, now });
    if (!this.#ejections.limitTo(selected.subset, now)) return selected;
    return this.#selector.select({ outs: this.#ejections.outs, callers, now });
  }

  #trackOutage({ status }: TopologyState, now: number): Outage | undefined {
    if (status !== "unavailable") this.#outage = undefined;
    else this.#outage ??= this.#beginOutage(now);
    return this.#outage;
  }

  #beginOutage(now: number): Outage {
    const keepMs = this.#keepUnavailableMs;
    const until = keepMs > LONGEST_NAMED_MS ? undefined : new Date(this.#clock.now() + keepMs).toISOString();
    return { endsAt: now + keepMs, until };
  }

  /** Sets the timer to the next moment at which something changes by itself. */
  #schedule(): void {
    const now = this.#clock.monotonic();
    const times = [this.#ejections.nextAt, this.#selected?.nextStepAt, this.#outage?.endsAt];
    const at = Math.min(...times.map((time) => (time !== undefined && time > now ? time : Infinity)));
    const isNeeded = at !== Infinity && this.#state.status !== "stopped";
    if (isNeeded && this.#timer?.at === at) return;
    this.#timer?.task[Symbol.dispose]();
    this.#timer = undefined;
    if (!isNeeded) return;
    const onTime = () => {
      this.#timer = undefined;
      this.#flush();
    };
    this.#timer = { at, task: this.#clock.schedule(at - now, onTime) };
  }

  #notify(): void {
    const state = this.#state;
    if (isSameForCallers(this.#notified, state)) return;
    this.#notified = state;
    this.#events.emit("change", state);
  }
}

/** A time in which no provider can serve. */
interface Outage {
  /** When the last members are used no longer; monotonic milliseconds. */
  readonly endsAt: number;
  readonly until: string | undefined;
}

interface Timer {
  readonly at: number;
  readonly task: Disposable;
}

/** A longer time is not printed as a date. */
const LONGEST_NAMED_MS = 1_000_000_000_000;
