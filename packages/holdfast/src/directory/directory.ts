import {
  callIsolated,
  createTypedEvents,
  ProvisioningError,
  refusalOf,
  SerialQueue,
  systemClock,
  systemRandom,
  throwIfAborted,
  toAbortError,
  toReason,
  untilAborted,
  Wakeup,
  whenAborted,
  type AnyProviderAdapter,
  type Clock,
  type GenerationStore,
  type Random,
  type ReadOptions,
  type TopologyName,
  type Unsubscribe,
} from "@holdfast/core";
import {
  ProvisioningService,
  SharedMetrics,
  TransientProviderStore,
  type PreparedChange,
  type PreparedStart,
  type ProvisioningServiceOptions,
  type StopOptions,
  type StopReport,
} from "@holdfast/provisioning";
import type { Topology } from "../topology.ts";
import { BoundedQueue } from "./bounded-queue.ts";
import { compareDefinitions } from "./compare-definitions.ts";
import type { DirectoryChange } from "./directory-change.ts";
import type { DirectoryWarning } from "./directory-warning.ts";
import { prepareJointly } from "./joint-change.ts";
import { planTopologies, type TopologyPlan, type TopologyTask } from "./plan-topologies.ts";
import { RunSet } from "./run-set.ts";
import { SharedGeneration } from "./shared-generation.ts";
import type { DirectoryDefinition, TopologyDefinition, TopologyStores } from "./topology-definition.ts";
import { TopologyRun } from "./topology-run.ts";

export interface DirectoryOptions {
  /** One for each kind. All topologies share them, and with them the connections and watches of the same backend. */
  readonly adapters: readonly AnyProviderAdapter[];
  /** What one topology keeps across restarts. Called once for each start of a topology. @defaultValue nothing is kept */
  readonly storesFor?: ((name: TopologyName) => TopologyStores) | undefined;
  /** Orders the epochs of the runs of all topologies. @defaultValue none: the wall clock orders them */
  readonly generation?: GenerationStore | undefined;
  /** The prom-client `Registry` for the metrics. @defaultValue no metrics, and prom-client is not loaded */
  readonly metricsRegistry?: ProvisioningServiceOptions["metricsRegistry"];
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}

export interface DirectoryStartOptions {
  /** Cancels the start; the directory is then closed. */
  readonly signal?: AbortSignal | undefined;
}

/** What a reload has changed. All names are sorted. */
export interface ReloadReport {
  readonly appeared: readonly TopologyName[];
  readonly disappeared: readonly TopologyName[];
  /** Other providers are in force. */
  readonly changed: readonly TopologyName[];
  /** A setting has changed, so the topology was replaced by one with a new log. */
  readonly restarted: readonly TopologyName[];
}

/** The prepared change of each topology that changes. */
type Parts = ReadonlyMap<TopologyName, PreparedChange | PreparedStart>;

/** How many topologies start at the same time. */
const CONCURRENT_STARTS = 20;
/** A start does not wait longer than this for topologies that are still starting, in milliseconds. */
const START_WAIT_MS = 10_000;
/** How many names an error lists. */
const NAMED_IN_ERROR = 20;

/**
 * Many topologies by name, each with its own providers, failover, guards, log and status. A topology that fails does not affect the
 * others. Close it, or declare it with `await using`.
 */
export class Directory implements AsyncDisposable {
  readonly #options: DirectoryOptions;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #generation: SharedGeneration | undefined;
  readonly #metrics: SharedMetrics | undefined;
  readonly #starts = new BoundedQueue(CONCURRENT_STARTS);
  readonly #runs = new RunSet((change) => this.#events.emit("change", change));
  readonly #reloads = new SerialQueue();
  readonly #events = createTypedEvents<{ change: DirectoryChange; warning: DirectoryWarning }>(
    (cause, type) => this.#onListenerError(cause, type),
  );
  readonly #stop = new AbortController();
  #startup: Promise<void> | undefined;
  #shutdown: Promise<StopReport> | undefined;

  /** Does no I/O. */
  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    const { metricsRegistry: registry } = options;
    this.#metrics = registry && new SharedMetrics({ registry, clock: this.#clock });
    this.#generation = options.generation && new SharedGeneration(options.generation);
  }

  /**
   * Starts all topologies. Resolves once each of them has started or failed to; `ready()` resolves with the first usable snapshots. A
   * topology that fails to start (its store is damaged, its backend refuses) causes a warning, and is tried again. Its status stays
   * `starting`, with the reason. Rejects with `VALIDATION_*` for an invalid definition, naming every problem of every topology, with
   * `LIFECYCLE_ABORTED`, and with the failure of the only topology, or of the first one if all have failed. The directory is then closed.
   */
  start(definition: DirectoryDefinition, options: DirectoryStartOptions = {}): Promise<void> {
    if (this.#shutdown !== undefined) {
      return Promise.reject(new ProvisioningError("LIFECYCLE_STOPPED", "the directory was closed"));
    }
    this.#startup ??= this.#start(definition, options).catch((error: unknown) => {
      void this.close();
      throw error;
    });
    return this.#startup;
  }

  /** The names of all topologies, sorted. */
  names(): readonly TopologyName[] {
    return this.#runs
      .all()
      .map(({ name }) => name)
      .sort();
  }

  find(name: TopologyName): Topology | undefined {
    return this.#runs.get(name)?.topology;
  }

  /** Throws `TOPOLOGY_UNKNOWN`, which names the topologies that exist. */
  topology(name: TopologyName): Topology {
    const found = this.find(name);
    if (found !== undefined) return found;
    const names = this.names();
    const shown = names.slice(0, NAMED_IN_ERROR).map((known) => `"${known}"`);
    const more = names.length > NAMED_IN_ERROR ? `, and ${names.length - NAMED_IN_ERROR} more` : "";
    const known = names.length === 0 ? "there are none" : `there are ${shown.join(", ")}${more}`;
    throw new ProvisioningError("TOPOLOGY_UNKNOWN", `no topology has this name; ${known}`, {
      details: { names: names.slice(0, NAMED_IN_ERROR) },
    });
  }

  /** A topology that is replaced disappears and appears. Returns a function that unsubscribes. */
  onChange(listener: (change: DirectoryChange) => unknown): Unsubscribe {
    return this.#events.on("change", listener);
  }

  /**
   * Yields a change for each topology that exists, then every later change. A slow reader skips a topology that has disappeared again.
   * Ends when the signal aborts and when the directory is closed.
   */
  async *changes({ signal }: ReadOptions = {}): AsyncGenerator<DirectoryChange, void> {
    const wakeup = new Wakeup();
    const seen = new Map<TopologyName, Topology>();
    const stop = this.#stop.signal;
    const ended = signal === undefined ? stop : AbortSignal.any([signal, stop]);
    using _ = whenAborted(ended, () => wakeup.wake());
    const unsubscribe = this.onChange(() => wakeup.wake());
    try {
      while (!ended.aborted) {
        const change = this.#nextChange(seen);
        if (change === undefined) await wakeup.wait();
        else yield change;
      }
    } finally {
      unsubscribe();
    }
  }

  on(type: "warning", listener: (warning: DirectoryWarning) => unknown): Unsubscribe {
    return this.#events.on(type, listener);
  }

  /**
   * Resolves as soon as all required topologies are ready (see `Topology.ready`). Rejects with `LIFECYCLE_STOPPED` when the directory is
   * closed first, or with the reason of the signal.
   */
  async ready({ signal }: ReadOptions = {}): Promise<void> {
    throwIfAborted(signal);
    await this.#startup;
    for (;;) {
      throwIfAborted(this.#stop.signal);
      const waiting = this.#requiredButNotReady();
      if (waiting.length === 0) return;
      // A topology that its owner has closed would never become ready.
      for (const { state } of waiting) {
        if (state.status === "draining" || state.status === "stopped") throw refusalOf(state);
      }
      await this.#anyProgress(waiting, signal);
    }
  }

  /**
   * Replaces the definitions of all topologies: all of them or, when anything is invalid, a backend refuses (`validation.probe`) or a save
   * fails, none. A topology whose definition is the same is not touched; one that has not started yet tries again now. Topologies that
   * are no longer defined disappear and drain their consumers in the background. A topology with a changed setting (health, guards, ...)
   * is drained and replaced. Reloads run one at a time, in call order. Rejects as `start` does for invalid definitions, with
   * `CONNECTIVITY_*` or `STORE_*` naming each topology that failed, with `LIFECYCLE_NOT_STARTED`, `LIFECYCLE_STOPPED`, or
   * `LIFECYCLE_ABORTED`; then nothing has changed.
   */
  reload(definition: DirectoryDefinition, { signal }: ReadOptions = {}): Promise<ReloadReport> {
    return this.#reloads.run(() => this.#reload(definition, signal), signal);
  }

  /** Drains the consumers of all topologies and releases all resources. Always resolves. Further calls return the same report. */
  close(options: StopOptions = {}): Promise<StopReport> {
    this.#shutdown ??= this.#close(options);
    return this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #start(definition: DirectoryDefinition, { signal }: DirectoryStartOptions): Promise<void> {
    throwIfAborted(signal);
    const plans = this.#plan(definition.topologies);
    using _ = whenAborted(signal, () => void this.close());
    const runs = plans.map((plan) => this.#toRun(plan));
    for (const run of runs) this.#runs.put(run);
    const failures = await this.#untilLate(Promise.all(runs.map((run) => run.start())));
    throwIfAborted(signal);
    throwIfAborted(this.#stop.signal);
    const [first] = failures?.flatMap((failure) => failure ?? []) ?? [];
    if (first !== undefined && runs.every(({ isStarted }) => !isStarted)) throw first;
  }

  async #reload(definition: DirectoryDefinition, signal: AbortSignal | undefined): Promise<ReloadReport> {
    await this.#assertStarted();
    const plans = this.#plan(definition.topologies);
    const either = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    const tasks = plans.filter(({ task }) => task !== "keep");
    const parts = await this.#prepare(tasks, either);
    return await this.#bringIntoForce(plans, parts);
  }

  async #assertStarted(): Promise<void> {
    if (this.#startup === undefined) {
      throw new ProvisioningError("LIFECYCLE_NOT_STARTED", "the directory was not started");
    }
    await this.#startup;
    throwIfAborted(this.#stop.signal);
  }

  #plan(definitions: readonly TopologyDefinition[]): readonly TopologyPlan[] {
    return planTopologies(definitions, {
      adapters: this.#options.adapters,
      taskOf: (definition) => this.#taskOf(definition),
      createService: (definition) => this.#createService(definition),
    });
  }

  #taskOf(definition: TopologyDefinition): TopologyTask {
    const run = this.#runs.get(definition.name);
    if (run === undefined || run.isEnded) return "create";
    const difference = compareDefinitions(run.definition, definition);
    if (difference === "same") return "keep";
    if (difference === "settings") return "create";
    if (run.isStarted) return "update";
    const isStored = definition.providers === undefined && run.definition.providers === undefined;
    // Its next attempt to start reads the stored set.
    return isStored ? "keep" : "create";
  }

  /** Checks, proves and saves the changes of all topologies, or of none. */
  async #prepare(plans: readonly TopologyPlan[], signal: AbortSignal): Promise<Parts> {
    const tasks = new Map(
      plans.map((plan) => [
        plan.definition.name,
        () => this.#starts.run(() => this.#preparePart(plan, signal), signal),
      ]),
    );
    try {
      const parts = await prepareJointly(tasks);
      if (!this.#stop.signal.aborted) return parts;
      for (const part of parts.values()) part[Symbol.dispose]();
      throw toAbortError(this.#stop.signal);
    } catch (error) {
      for (const { service } of plans) void service?.stop();
      throw error;
    }
  }

  async #preparePart(
    { definition, service }: TopologyPlan,
    signal: AbortSignal,
  ): Promise<PreparedChange | PreparedStart> {
    const { name, providers } = definition;
    if (service === undefined)
      return await this.topology(name).service.registry.prepare(providers, { signal });
    await untilAborted(this.#runs.whenEnded(name), signal);
    return await service.prepareStart({ providers, signal });
  }

  /** Changes everything in one turn of the event loop, so that no reader sees a mixture; then waits for new topologies to start. */
  async #bringIntoForce(plans: readonly TopologyPlan[], parts: Parts): Promise<ReloadReport> {
    const before = new Map(this.#runs.all().map((run) => [run.name, run]));
    const wanted = new Set(plans.map(({ definition }) => definition.name));
    const disappeared = [...before.keys()].filter(
      (name) => !wanted.has(name) && before.get(name)?.topology.isDiscovered === false,
    );
    for (const name of disappeared) this.#runs.remove(name);
    const changed: TopologyName[] = [];
    const starting: Promise<void>[] = [];
    for (const plan of plans) {
      const { name } = plan.definition;
      const part = parts.get(name);
      if (part === undefined) this.#keep(plan);
      else if ("set" in part) {
        if (part.isChanged) changed.push(name);
        this.#update(plan, part);
      } else starting.push(this.#replace(plan, part));
    }
    await this.#untilLate(Promise.all(starting));
    const created = plans.filter(({ task }) => task === "create").map(({ definition }) => definition.name);
    return {
      appeared: created.filter((name) => !before.has(name)).sort(),
      disappeared: disappeared.sort(),
      changed: changed.sort(),
      restarted: created.filter((name) => before.has(name)).sort(),
    };
  }

  #keep({ definition }: TopologyPlan): void {
    const run = this.#runs.get(definition.name);
    run?.redefine(definition);
    if (run?.isStarted === false) run.retryNow();
  }

  #update({ definition }: TopologyPlan, change: PreparedChange): void {
    this.#runs.get(definition.name)?.redefine(definition);
    // Throws only when the owner has closed this topology in the meantime.
    callIsolated(() => change.apply());
  }

  #replace(plan: TopologyPlan, prepared: PreparedStart): Promise<void> {
    const run = this.#toRun(plan);
    this.#runs.put(run);
    return run.startPrepared(prepared, this.#runs.whenEnded(run.name));
  }

  /** Resolves with `undefined` when the work takes longer than `START_WAIT_MS`. */
  async #untilLate<T>(work: Promise<T>): Promise<T | undefined> {
    const late = Promise.withResolvers<undefined>();
    using _ = this.#clock.schedule(START_WAIT_MS, () => late.resolve(undefined));
    return await Promise.race([work, late.promise]);
  }

  #createService(definition: TopologyDefinition): ProvisioningService {
    const { name, health, guards, validation, retainedEvents, ports, calls } = definition;
    const { adapters, storesFor } = this.#options;
    const { providers: store = new TransientProviderStore(), snapshots } = storesFor?.(name) ?? {};
    const { lastKnownGood } = definition;
    return new ProvisioningService({
      adapters,
      store,
      generation: this.#generation?.for(name),
      health,
      guards,
      validation,
      retainedEvents,
      ports,
      calls,
      lastKnownGood:
        snapshots === undefined || lastKnownGood === false
          ? undefined
          : { ...lastKnownGood, store: snapshots },
      name,
      metrics: this.#metrics,
      clock: this.#clock,
      random: this.#random,
    });
  }

  #toRun({ definition, service = this.#createService(definition) }: TopologyPlan): TopologyRun {
    const { name } = definition;
    service.on("warning", (warning) => this.#events.emit("warning", { ...warning, topology: name }));
    return new TopologyRun({
      definition,
      service,
      isDiscovered: false,
      clock: this.#clock,
      random: this.#random,
      starts: this.#starts,
      onFailure: (error) => {
        const { code, message, details } = toReason(error);
        const text = `"${name}" could not be started, and is tried again: ${message}`;
        this.#events.emit("warning", { code, message: text, topology: name, details });
      },
    });
  }

  #nextChange(seen: Map<TopologyName, Topology>): DirectoryChange | undefined {
    for (const [name, topology] of seen) {
      if (this.find(name) === topology) continue;
      seen.delete(name);
      return { type: "disappeared", name };
    }
    for (const { name, topology } of this.#runs.all()) {
      if (seen.has(name)) continue;
      seen.set(name, topology);
      return { type: "appeared", name };
    }
    return undefined;
  }

  #requiredButNotReady(): readonly Topology[] {
    return this.#runs
      .all()
      .map(({ topology }) => topology)
      .filter(({ isRequired, state }) => isRequired && refusalOf(state) !== undefined);
  }

  /** Resolves when one of the topologies is ready or stopped, and when a topology appears or disappears. */
  async #anyProgress(waiting: readonly Topology[], signal: AbortSignal | undefined): Promise<void> {
    const end = new AbortController();
    const changed = Promise.withResolvers<void>();
    const unsubscribe = this.onChange(() => changed.resolve());
    using _ = whenAborted(this.#stop.signal, () => changed.resolve());
    try {
      const ready = waiting.map((topology) =>
        topology.ready({ signal: end.signal }).then(
          () => undefined,
          () => undefined,
        ),
      );
      await untilAborted(Promise.race([...ready, changed.promise]), signal);
    } finally {
      end.abort();
      unsubscribe();
    }
  }

  #onListenerError(cause: unknown, type: "change" | "warning"): void {
    // A warning about a failed warning listener would only make it fail again.
    if (type === "warning") return;
    const message = "a listener of the directory threw an error";
    const { code, details } = new ProvisioningError("LIFECYCLE_CONSUMER_FAILED", message, { cause });
    this.#events.emit("warning", { code, message, details });
  }

  async #close(options: StopOptions): Promise<StopReport> {
    this.#stop.abort(new ProvisioningError("LIFECYCLE_STOPPED", "the directory was closed"));
    const report = await this.#runs.close(options);
    this.#metrics?.[Symbol.dispose]();
    this.#events.clear();
    return report;
  }
}
