import {
  OwnershipLane,
  RemotingBridge,
  type PartitionManagerBridge,
  type PlacementSupervisorBridge,
} from "@holdfast/bridges";
import {
  createDeadline,
  createTypedEvents,
  DEFAULT_TOPOLOGY,
  ProvisioningError,
  systemClock,
  systemRandom,
  throwIfAborted,
  toProvisioningError,
  untilAborted,
  type Clock,
  type Deadline,
  type Epoch,
  type GenerationStore,
  type NodeId,
  type PortReport,
  type ProviderDescriptorInput,
  type ProviderHealthReport,
  type ProviderId,
  type Random,
  type RemoteNodeReport,
  type TopologyName,
  type Unsubscribe,
} from "@holdfast/core";
import { Failover, heartbeatMsOf } from "@holdfast/failover";
import { createEpoch, WatchHub, type NodeExplanation } from "@holdfast/hub";
import { ProviderRegistry } from "@holdfast/registry";
import { warningChannel } from "./diagnostics.ts";
import { IncompleteEntries } from "./incomplete-entries.ts";
import { LastKnownGood } from "./last-known-good.ts";
import type { ProvisioningServiceOptions } from "./service-options.ts";
import { toWarning, type ServiceWarning } from "./service-warning.ts";
import { SharedEndpointCheck } from "./shared-endpoint-check.ts";
import { SharedMetrics } from "./shared-metrics.ts";

export interface StartOptions {
  /** Cancels the start; the service is then stopped. */
  readonly signal?: AbortSignal | undefined;
  /** Replaces the stored set of providers, all or nothing. @defaultValue the stored set */
  readonly providers?: readonly ProviderDescriptorInput[] | undefined;
}

/** A start that was checked and proven. Call `save`, then `apply`, or dispose of it. */
export interface PreparedStart extends Disposable {
  /** Saves the set of providers. Rejects with a `STORE_*` error. */
  save(): Promise<void>;
  /** After `save`: saves the earlier set again, because the start will not be applied. Never rejects. */
  revert(): Promise<void>;
  /** Starts the watches. Rejects only when the service was stopped or the signal of the start has aborted. */
  apply(): Promise<void>;
}

export interface StopOptions {
  /** How long a start in progress, consumers and providers may take to finish, in milliseconds. @defaultValue 10000 */
  readonly deadlineMs?: number | undefined;
  /** Ends the deadline early. */
  readonly signal?: AbortSignal | undefined;
}

export interface StopReport {
  /** Names of the tasks that were not finished at the deadline. They are no longer waited for. Empty when all were finished. */
  readonly unfinished: readonly string[];
}

const DEFAULT_DEADLINE_MS = 10_000;
/** The minimum time for providers to release their backends, also when consumers have used up the deadline, in milliseconds. */
const MIN_DISPOSAL_MS = 1_000;
/** Sorts before every generation of a store, so that a failed start does not make later runs look older. */
const NOT_STARTED = 0;

/**
 * The service for one topology: connects registry, failover, hub, bridges and metrics, and starts and stops them. It watches the
 * registered providers, uses the snapshots of the healthy one of highest priority, and delivers them to the ports in one order.
 */
export class ProvisioningService implements AsyncDisposable {
  readonly registry: ProviderRegistry;
  /** The ordered log of events and the resulting state. */
  readonly topology: WatchHub;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #generation: GenerationStore | undefined;
  readonly #failover: Failover;
  readonly #ownership: OwnershipLane;
  readonly #remoting: RemotingBridge | undefined;
  readonly #name: TopologyName;
  readonly #metrics: SharedMetrics | undefined;
  readonly #ownsMetrics: boolean;
  readonly #sharedEndpoints: SharedEndpointCheck;
  readonly #lastKnownGood: LastKnownGood | undefined;
  readonly #events = createTypedEvents<{ warning: ServiceWarning }>(() => undefined);
  readonly #stopping = new AbortController();
  #series: Disposable | undefined;
  #startup: Promise<void> | undefined;
  #shutdown: Promise<StopReport> | undefined;

  /** Does no I/O. Throws `VALIDATION_MALFORMED` for an option out of its range. */
  constructor(options: ProvisioningServiceOptions) {
    const { adapters, store, ports = {}, metricsRegistry, health, guards } = options;
    const clock = options.clock ?? systemClock;
    const random = options.random ?? systemRandom;
    const onError = (error: ProvisioningError) => this.#warn(error);
    this.#clock = clock;
    this.#random = random;
    this.#generation = options.generation;
    this.#failover = new Failover({
      clock,
      random,
      health,
      guards,
      onWarning: onError,
    });
    const heartbeatMs = heartbeatMsOf(this.#failover.policy);
    this.registry = new ProviderRegistry({
      ...options.validation,
      adapters,
      store,
      clock,
      random,
      heartbeatMs,
    });
    this.registry.on("warning", (warning) => this.#emit(warning));
    const { retainedEvents } = options;
    const epoch = options.generation && createEpoch(NOT_STARTED, random);
    this.topology = new WatchHub({
      source: this.#failover,
      clock,
      random,
      epoch,
      retainedEvents,
      onError,
    });
    this.#lastKnownGood =
      options.lastKnownGood &&
      new LastKnownGood({
        options: options.lastKnownGood,
        registry: this.registry,
        failover: this.#failover,
        topology: this.topology,
        clock,
        onError,
      });
    const source = this.topology;
    const incomplete = new IncompleteEntries();
    source.onEvent((event) => {
      if (event.kind !== "snapshot") return;
      for (const warning of incomplete.warningsFor(event.snapshot)) this.#emit(warning);
    });
    this.#sharedEndpoints = new SharedEndpointCheck({ source, clock, onWarning: onError });
    const { placement, partition, remoting: port } = ports;
    const { calls } = options;
    const common = { source, clock, random, calls, onError };
    const admitTimeoutMs = calls?.admitTimeoutMs;
    this.#ownership = new OwnershipLane({ ...common, placement, partition, admitTimeoutMs });
    this.#remoting = port && new RemotingBridge({ ...common, port, blocks: source });
    this.#name = options.name ?? DEFAULT_TOPOLOGY;
    this.#ownsMetrics = options.metrics === undefined;
    this.#metrics =
      options.metrics ?? (metricsRegistry && new SharedMetrics({ registry: metricsRegistry, clock }));
  }

  /** Admits requests to Placement; absent without a placement port. */
  get placement(): PlacementSupervisorBridge | undefined {
    return this.#ownership.placement;
  }

  /** The bridge to the partition port; absent without that port. */
  get partition(): PartitionManagerBridge | undefined {
    return this.#ownership.partition;
  }

  /** Receives reports of blocked and restored nodes; absent without a remoting port. */
  get remoting(): RemotingBridge | undefined {
    return this.#remoting;
  }

  /**
   * Restores the stored providers, or replaces them by `providers`, and starts to watch them. Resolves when the watches have started;
   * `topology.ready()` resolves with the first usable snapshot. Rejects with `VALIDATION_DUPLICATE_ID` when `metricsRegistry` already
   * has one of the metrics, and with the errors of `GenerationStore.next`, `ProviderRegistry.restore` and `reload`. The service is then
   * stopped. Further calls return the same promise.
   */
  start(options: StartOptions = {}): Promise<void> {
    if (this.#shutdown !== undefined) {
      return Promise.reject(toStoppedError());
    }
    this.#startup ??= this.#start(options).catch((error: unknown) => {
      void this.stop();
      throw error;
    });
    return this.#startup;
  }

  /**
   * Like `start`, but a failure does not stop the service, so the call can be repeated. Until an attempt succeeds, the status is
   * `starting`, with the reason of the last failure.
   */
  tryStart(options: StartOptions = {}): Promise<void> {
    if (this.#shutdown !== undefined) return this.start(options);
    this.#startup ??= this.#start(options).catch((error: unknown) => {
      this.#startup = undefined;
      this.topology.postpone(
        toProvisioningError(error, "LIFECYCLE_INTERNAL", "the start failed unexpectedly"),
      );
      throw error;
    });
    return this.#startup;
  }

  /**
   * The first phase of a start, so that several services can start together or not at all: everything is checked and proven, but nothing
   * is saved or watched. Rejects as `start` does; the service can then be prepared again. `start` and `tryStart` must not be called.
   */
  prepareStart(options: StartOptions = {}): Promise<PreparedStart> {
    return this.#shutdown === undefined ? this.#prepareStart(options) : Promise.reject(toStoppedError());
  }

  on(type: "warning", listener: (warning: ServiceWarning) => unknown): Unsubscribe {
    return this.#events.on(type, listener);
  }

  /** Pins a provider above all others until called with `undefined`. Throws `VALIDATION_UNKNOWN_ID` for a provider that is not registered. */
  override(providerId: ProviderId | undefined): void {
    this.#failover.override(providerId);
  }

  /** Accepts the removals that the mass-removal guard holds back. Returns false when it holds none back. */
  acceptRemovals(): boolean {
    return this.#failover.acceptRemovals();
  }

  /** One report for each registered provider, including disabled ones; highest priority first. */
  providerHealth(): readonly ProviderHealthReport[] {
    const reports = new Map(this.#failover.health().map((report) => [report.providerId, report]));
    return this.registry.list().map(({ descriptor: { id, disabled } }): ProviderHealthReport => {
      const report = reports.get(id);
      if (report !== undefined) return report;
      const health = disabled === undefined ? "idle" : "disabled";
      return { providerId: id, health, isActive: false, errors: 0, reason: disabled };
    });
  }

  /** The nodes that Remoting knows; empty without a remoting port. */
  remoteNodes(): Iterable<RemoteNodeReport> {
    return this.#remoting?.nodes() ?? [];
  }

  /** One report for each port: calls in progress, failures, waiting and parked notices. */
  consumers(): readonly PortReport[] {
    return [...this.#ownership.ports, ...(this.#remoting ? [this.#remoting.port] : [])];
  }

  /** Explains why a node is a member, blocked, kept, or not a member; see `WatchHub.explain`. */
  explain(nodeId: NodeId): NodeExplanation {
    const remote = this.#remoting?.node(nodeId);
    return this.topology.explain(nodeId, { views: this.#failover.providerViews(), remote });
  }

  /**
   * Rejects new snapshots, lets consumers drain until the deadline, then ends and disposes of all parts. Always resolves, at the latest
   * one second after the deadline, even if a consumer or provider hangs. Further calls return the same report.
   */
  stop(options: StopOptions = {}): Promise<StopReport> {
    this.#shutdown ??= this.#stop(options);
    return this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start(options: StartOptions): Promise<void> {
    using prepared = await this.#prepareStart(options);
    await prepared.save();
    await prepared.apply();
  }

  async #prepareStart({ signal: outer, providers }: StartOptions): Promise<PreparedStart> {
    const signal =
      outer === undefined ? this.#stopping.signal : AbortSignal.any([outer, this.#stopping.signal]);
    throwIfAborted(signal);
    await untilAborted(this.#metrics?.load(), signal);
    // Before the registry, so that a start without a generation does not change the stored providers.
    const epoch = await this.#nextEpoch(signal);
    await this.registry.restore({ signal, onlyFrom: providers });
    // The stored set is in force already.
    const change = providers && (await this.registry.prepare(providers, { signal }));
    return {
      save: async () => await change?.save(),
      revert: async () => await change?.revert(),
      apply: async () => {
        const known = await this.#lastKnownGood?.load(signal);
        throwIfAborted(signal);
        change?.apply();
        this.#lastKnownGood?.restore(known);
        this.#begin(epoch);
      },
      [Symbol.dispose]: () => change?.[Symbol.dispose](),
    };
  }

  #begin(epoch: Epoch | undefined): void {
    const reconfigure = () =>
      this.#failover.reconfigure(this.registry.list().flatMap(({ provider }) => provider ?? []));
    this.registry.on("changed", reconfigure);
    reconfigure();
    this.#series = this.#metrics?.add({
      topology: this.#name,
      source: this.topology,
      providerHealth: () => this.providerHealth(),
      remoteNodes: () => this.remoteNodes(),
      ports: () => this.consumers(),
    });
    this.topology.start({ epoch });
    this.#lastKnownGood?.keep();
  }

  async #nextEpoch(signal: AbortSignal): Promise<Epoch | undefined> {
    if (this.#generation === undefined) return undefined;
    throwIfAborted(signal);
    try {
      // At least the wall clock: the order is then kept when the store was lost, or across a version without a store.
      const atLeast = Math.floor(this.#clock.now());
      const generation = await untilAborted(this.#generation.next({ atLeast, signal }), signal);
      return createEpoch(generation, this.#random);
    } catch (error) {
      throw toProvisioningError(error, "STORE_IO", "the generation store did not return a generation");
    }
  }

  #warn(error: ProvisioningError): void {
    this.#emit(toWarning(error));
  }

  #emit(warning: ServiceWarning): void {
    if (warningChannel.hasSubscribers) warningChannel.publish({ warning });
    this.#events.emit("warning", warning);
  }

  async #stop({ deadlineMs = DEFAULT_DEADLINE_MS, signal }: StopOptions): Promise<StopReport> {
    const stopAt = this.#clock.monotonic() + deadlineMs;
    this.#stopping.abort(toStoppedError());
    this.topology.drain("the service is shutting down");
    using deadline = this.#createDeadline(deadlineMs, signal);
    // If the start hangs in a save, `#releaseProviders` reports it below.
    await untilAborted(this.#startup, deadline.signal).catch(() => undefined);
    const lanes = [this.#ownership, this.#remoting].filter((lane) => lane !== undefined);
    const saving = this.#lastKnownGood?.finish(deadline.signal) ?? [];
    const reports = await Promise.all(lanes.map((lane) => lane.drain({ signal: deadline.signal })));
    const unsaved = await saving;
    await Promise.all(lanes.map((lane) => lane[Symbol.asyncDispose]()));
    this.#sharedEndpoints[Symbol.dispose]();
    await this.topology[Symbol.asyncDispose]();
    await this.#failover[Symbol.asyncDispose]();
    const leftMs = signal?.aborted === true ? 0 : stopAt - this.#clock.monotonic();
    const unreleased = await this.#releaseProviders(Math.max(leftMs, MIN_DISPOSAL_MS));
    this.#series?.[Symbol.dispose]();
    // Metrics that several services share belong to their owner.
    if (this.#ownsMetrics) this.#metrics?.[Symbol.dispose]();
    this.#events.clear();
    return { unfinished: [...reports.flatMap(({ unfinished }) => unfinished), ...unsaved, ...unreleased] };
  }

  /** A provider that hangs is named in the report and no longer waited for. */
  async #releaseProviders(withinMs: number): Promise<readonly string[]> {
    using deadline = this.#createDeadline(withinMs);
    try {
      await untilAborted(this.registry[Symbol.asyncDispose](), deadline.signal);
      return [];
    } catch {
      return ["registry: a save or the disposal of a provider"];
    }
  }

  #createDeadline(afterMs: number, signal?: AbortSignal): Deadline {
    const error = () =>
      new ProvisioningError("LIFECYCLE_DRAIN_DEADLINE", `not finished within ${afterMs} ms`);
    return createDeadline({ afterMs, clock: this.#clock, signal, error });
  }
}

function toStoppedError(): ProvisioningError {
  return new ProvisioningError("LIFECYCLE_STOPPED", "the service was stopped");
}
