import {
  createTypedEvents,
  ProvisioningError,
  refusalOf,
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
  type ProvisioningServiceOptions,
  type StopOptions,
  type StopReport,
} from "@holdfast/provisioning";
import type { Topology } from "../topology.ts";
import { BoundedQueue } from "./bounded-queue.ts";
import type { DirectoryWarning } from "./directory-warning.ts";
import { planTopologies, type PlannedTopology } from "./plan-topologies.ts";
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

/** A topology that has been added to a directory or removed from it. */
export interface DirectoryChange {
  readonly type: "appeared" | "disappeared";
  readonly name: TopologyName;
}

export interface DirectoryStartOptions {
  /** Cancels the start; the directory is then closed. */
  readonly signal?: AbortSignal | undefined;
}

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
  readonly #runs = new Map<TopologyName, TopologyRun>();
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
    return [...this.#runs.keys()].sort();
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
    const planned = planTopologies(definition.topologies, this.#options.adapters, (topology) =>
      this.#createService(topology),
    );
    using _ = whenAborted(signal, () => void this.close());
    const runs = planned.map((plan) => this.#add(plan, false));
    const attempts = runs.map((run) => run.start());
    const failures = await this.#untilLate(Promise.all(attempts));
    if (signal?.aborted === true) throw toAbortError(signal);
    throwIfAborted(this.#stop.signal);
    const [first] = failures?.flatMap((failure) => failure ?? []) ?? [];
    if (first !== undefined && runs.every(({ isStarted }) => !isStarted)) throw first;
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

  #add({ definition, service }: PlannedTopology, isDiscovered: boolean): TopologyRun {
    const { name } = definition;
    service.on("warning", (warning) => this.#events.emit("warning", { ...warning, topology: name }));
    const run = new TopologyRun({
      definition,
      service,
      isDiscovered,
      clock: this.#clock,
      random: this.#random,
      starts: this.#starts,
      onFailure: (error) => {
        const { code, message, details } = toReason(error);
        const text = `"${name}" could not be started, and is tried again: ${message}`;
        this.#events.emit("warning", { code, message: text, topology: name, details });
      },
    });
    this.#runs.set(name, run);
    this.#events.emit("change", { type: "appeared", name });
    return run;
  }

  #nextChange(seen: Map<TopologyName, Topology>): DirectoryChange | undefined {
    for (const [name, topology] of seen) {
      if (this.find(name) === topology) continue;
      seen.delete(name);
      return { type: "disappeared", name };
    }
    for (const [name, { topology }] of this.#runs) {
      if (seen.has(name)) continue;
      seen.set(name, topology);
      return { type: "appeared", name };
    }
    return undefined;
  }

  #requiredButNotReady(): readonly Topology[] {
    return [...this.#runs.values()]
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
    const runs = [...this.#runs.values()];
    const reports = await Promise.all(
      runs.map(async (run) => {
        const { unfinished } = await run.end(options);
        return unfinished.map((what) => `${run.name}: ${what}`);
      }),
    );
    this.#metrics?.[Symbol.dispose]();
    this.#events.clear();
    return { unfinished: reports.flat() };
  }
}
