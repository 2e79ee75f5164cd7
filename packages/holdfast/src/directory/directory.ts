import {
  createDeadline,
  createTypedEvents,
  ProvisioningError,
  refusalOf,
  SerialQueue,
  systemClock,
  systemRandom,
  throwIfAborted,
  toAbortError,
  untilAborted,
  Wakeup,
  whenAborted,
  type Clock,
  type ReadOptions,
  type TopologyName,
  type Unsubscribe,
} from "@holdfast/core";
import type { StopOptions, StopReport } from "@holdfast/provisioning";
import { DiscoveredRuns } from "../discovery/discovered-runs.ts";
import type { DiscoveryDefinition } from "../discovery/discovery-definition.ts";
import { DiscoverySet } from "../discovery/discovery-set.ts";
import type { Topology } from "../topology.ts";
import type { DirectoryChange } from "./directory-change.ts";
import type { DirectoryDefinition } from "./directory-definition.ts";
import type { DirectoryOptions } from "./directory-options.ts";
import { DirectoryReload, type ReloadReport } from "./directory-reload.ts";
import type { DirectoryWarning } from "./directory-warning.ts";
import { throwFailures } from "./joint-change.ts";
import { RunFactory } from "./run-factory.ts";
import { RunSet } from "./run-set.ts";
import type { TopologyRun } from "./topology-run.ts";
import { untilLate } from "./until-late.ts";

export interface DirectoryStartOptions {
  /** Cancels the start; the directory is then closed. */
  readonly signal?: AbortSignal | undefined;
}

/** A start or reload does not wait longer than this for topologies that are still starting, in milliseconds. */
const START_WAIT_MS = 10_000;
const DEFAULT_DEADLINE_MS = 10_000;
/** How many names an error lists. */
const NAMED_IN_ERROR = 20;

/**
 * Many topologies by name, each with its own providers, failover, guards, log and status. A topology that fails does not affect the
 * others. Close it, or declare it with `await using`.
 */
export class Directory implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #factory: RunFactory;
  readonly #runs: RunSet;
  readonly #discoveries: DiscoverySet;
  readonly #discovered: DiscoveredRuns;
  readonly #reload: DirectoryReload;
  readonly #reloads = new SerialQueue();
  readonly #events = createTypedEvents<{ change: DirectoryChange; warning: DirectoryWarning }>(
    (cause, type) => this.#onListenerError(cause, type),
  );
  readonly #stop = new AbortController();
  /** Wakes those that wait for a change. */
  readonly #waiting = new Set<() => void>();
  /** Failures that are reported once it is clear that the directory continues without these topologies; undefined after the start. */
  #startFailures: DirectoryWarning[] | undefined = [];
  #startup: Promise<void> | undefined;
  /** Resolves when the discoveries are open. */
  #discovering: Promise<void> = Promise.resolve();
  #shutdown: Promise<StopReport> | undefined;

  /** Does no I/O. */
  constructor(options: DirectoryOptions) {
    const { adapters, discoveryStore: store, clock = systemClock, random = systemRandom } = options;
    const stop = this.#stop.signal;
    const onWarning = (warning: DirectoryWarning) => this.#events.emit("warning", warning);
    this.#clock = clock;
    const onFailure = (warning: DirectoryWarning) =>
      this.#startFailures === undefined ? onWarning(warning) : this.#startFailures.push(warning);
    this.#factory = new RunFactory({ ...options, clock, random, onWarning, onFailure });
    this.#runs = new RunSet(clock, (change) => {
      this.#wake();
      this.#events.emit("change", change);
    });
    const onChange = () => {
      this.#wake();
      this.#discovered.follow();
    };
    this.#discoveries = new DiscoverySet({ adapters, store, clock, random, onChange, onWarning });
    const common = { factory: this.#factory, runs: this.#runs, clock, stop };
    this.#discovered = new DiscoveredRuns({ ...common, discoveries: this.#discoveries });
    this.#reload = new DirectoryReload({ ...common, adapters });
  }

  /**
   * Starts all topologies. Resolves once each of them has started or failed to; `ready()` resolves with the first usable snapshots. A
   * topology that fails to start (its store is damaged, its backend refuses) causes a warning, and is tried again. Its status stays
   * `starting`, with the reason. Rejects with `VALIDATION_*` for an invalid definition, naming every problem of every topology, with
   * `LIFECYCLE_ABORTED`, and, without discoveries, with the failure of the only topology, or with one error that names all if all have
   * failed. The directory is then closed.
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

  /**
   * Whether the start is over and every discovery knows its services: from a backend, or from an earlier run. Before, a topology that is
   * missing may still appear.
   */
  get isComplete(): boolean {
    return this.#discoveries.isKnown;
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

  /** Resolves with the topology as soon as it exists. Rejects with `LIFECYCLE_STOPPED` when the directory is closed, or as `signal` says. */
  async whenPresent(name: TopologyName, { signal }: ReadOptions = {}): Promise<Topology> {
    throwIfAborted(signal);
    throwIfAborted(this.#stop.signal);
    const { promise, resolve, reject } = Promise.withResolvers<Topology>();
    const check = () => {
      const found = this.find(name);
      if (found !== undefined) resolve(found);
    };
    check();
    const unsubscribe = this.onChange((change) => change.name === name && check());
    using _ = whenAborted(this.#stop.signal, () => reject(toAbortError(this.#stop.signal)));
    try {
      return await untilAborted(promise, signal);
    } finally {
      unsubscribe();
    }
  }

  /**
   * Resolves as soon as all required topologies are ready (see `Topology.ready`) and every discovery knows its services. Rejects with
   * `LIFECYCLE_STOPPED` when the directory is closed first, or with the reason of the signal.
   */
  async ready({ signal }: ReadOptions = {}): Promise<void> {
    throwIfAborted(signal);
    await this.#startup;
    for (;;) {
      throwIfAborted(this.#stop.signal);
      const waiting = this.#requiredButNotReady();
      if (waiting.length === 0 && this.#discoveries.isKnown) return;
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
    return this.#reloads.run(async () => {
      await this.#assertStarted();
      const plans = this.#reload.plan(definition);
      const prepared = await this.#reload.prepare(plans, signal);
      this.#discoveries.update(definition.discoveries ?? []);
      const { report, started } = this.#reload.apply(plans, prepared);
      await untilLate(started, START_WAIT_MS, this.#clock);
      return report;
    }, signal);
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
    const { discoveries = [] } = definition;
    const plans = this.#reload.plan(definition);
    using _ = whenAborted(signal, () => void this.close());
    const runs = plans.map((plan) => this.#factory.createRun(plan.definition, { service: plan.service }));
    for (const run of runs) this.#runs.put(run);
    const starting = Promise.all(runs.map((run) => run.start()));
    this.#discovering = this.#openDiscoveries(discoveries);
    const all = Promise.all([starting, this.#discovering]);
    const [failures = []] = (await untilLate(all, START_WAIT_MS, this.#clock)) ?? [];
    throwIfAborted(signal);
    throwIfAborted(this.#stop.signal);
    if (discoveries.length === 0 && runs.every(({ isStarted }) => !isStarted)) throwUseless(runs, failures);
    const reports = this.#startFailures ?? [];
    this.#startFailures = undefined;
    for (const report of reports) this.#events.emit("warning", report);
  }

  async #openDiscoveries(definitions: readonly DiscoveryDefinition[]): Promise<void> {
    const { signal } = this.#stop;
    if (definitions.length > 0) await this.#discoveries.load(signal);
    if (!signal.aborted) this.#discoveries.update(definitions);
  }

  async #assertStarted(): Promise<void> {
    if (this.#startup === undefined) {
      throw new ProvisioningError("LIFECYCLE_NOT_STARTED", "the directory was not started");
    }
    await this.#startup;
    await this.#discovering;
    throwIfAborted(this.#stop.signal);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
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
    try {
      const ready = waiting.map((topology) =>
        topology.ready({ signal: end.signal }).then(
          () => undefined,
          () => undefined,
        ),
      );
      await Promise.race([...ready, this.#anyChange(signal, end.signal)]);
    } finally {
      end.abort();
    }
  }

  /** Resolves when a topology appears or disappears, when a discovery changes, at the close, and when `end` aborts. */
  async #anyChange(signal: AbortSignal | undefined, end?: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    using _ = whenAborted(end, resolve);
    try {
      await untilAborted(promise, signal);
    } finally {
      this.#waiting.delete(resolve);
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
    this.#wake();
    const { deadlineMs = DEFAULT_DEADLINE_MS, signal } = options;
    const late = () =>
      new ProvisioningError("LIFECYCLE_DRAIN_DEADLINE", `not finished within ${deadlineMs} ms`);
    using deadline = createDeadline({ afterMs: deadlineMs, clock: this.#clock, signal, error: late });
    const [{ unfinished }, others] = await Promise.all([
      this.#runs.close(options),
      this.#discoveries.close(deadline.signal),
    ]);
    this.#factory[Symbol.dispose]();
    this.#events.clear();
    return { unfinished: [...unfinished, ...others] };
  }
}

/** Throws the failures of the start if any of the topologies has failed already. */
function throwUseless(
  runs: readonly TopologyRun[],
  failures: readonly (ProvisioningError | undefined)[],
): void {
  const [only] = failures;
  if (runs.length === 1 && only !== undefined) throw only;
  throwFailures(
    failures.flatMap((error, index) => (error === undefined ? [] : [{ topology: runs[index]!.name, error }])),
  );
}
