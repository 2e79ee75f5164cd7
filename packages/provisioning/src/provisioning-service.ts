import {
  OwnershipLane,
  RemotingBridge,
  type PartitionManagerBridge,
  type PlacementSupervisorBridge,
} from "@holdfast/bridges";
import {
  createDeadline,
  createTypedEvents,
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
  type Unsubscribe,
} from "@holdfast/core";
import { Failover, heartbeatMsOf } from "@holdfast/failover";
import { createEpoch, WatchHub, type NodeExplanation } from "@holdfast/hub";
import type { MetricsRegistry, ProvisioningMetrics } from "@holdfast/metrics";
import { ProviderRegistry } from "@holdfast/registry";
import { warningChannel } from "./diagnostics.ts";
import { IncompleteEntries } from "./incomplete-entries.ts";
import { LastKnownGood } from "./last-known-good.ts";
import type { ProvisioningServiceOptions } from "./service-options.ts";
import { toWarning, type ServiceWarning } from "./service-warning.ts";
import { SharedEndpointCheck } from "./shared-endpoint-check.ts";

export interface StartOptions {
  /** Gives the start up; the service is then stopped. */
  readonly signal?: AbortSignal | undefined;
  /** The set to have in force instead of the stored one, all or nothing. Left out: the stored set. */
  readonly providers?: readonly ProviderDescriptorInput[] | undefined;
}

export interface StopOptions {
  /** How long the start under way, consumers and providers may take to end, in milliseconds. @defaultValue 10000 */
  readonly deadlineMs?: number | undefined;
  /** Brings the deadline on at once. */
  readonly signal?: AbortSignal | undefined;
}

export interface StopReport {
  /** What was not finished when the deadline came, and is left to itself; empty when all was done. */
  readonly unfinished: readonly string[];
}

const DEFAULT_DEADLINE_MS = 10_000;
/** The least time that providers get to release their backends when consumers have used up the deadline, in milliseconds. */
const LEAST_DISPOSAL_MS = 1_000;
/** Sorts before every generation of a store: a start that failed must not make later runs look old. */
const NOT_STARTED = 0;

/**
 * One topology: wires registry, failover, hub, bridges and metrics, and starts and stops them. The providers in force are watched,
 * the snapshots of the healthy one of highest priority are used, and they reach the ports in one order.
 */
export class ProvisioningService implements AsyncDisposable {
  readonly registry: ProviderRegistry;
  /** The ordered log and the state it has led to. */
  readonly topology: WatchHub;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #generation: GenerationStore | undefined;
  readonly #failover: Failover;
  readonly #ownership: OwnershipLane;
  readonly #remoting: RemotingBridge | undefined;
  readonly #metricsRegistry: MetricsRegistry | undefined;
  readonly #sharedEndpoints: SharedEndpointCheck;
  readonly #lastKnownGood: LastKnownGood | undefined;
  readonly #events = createTypedEvents<{ warning: ServiceWarning }>(() => undefined);
  readonly #stopping = new AbortController();
  #metrics: ProvisioningMetrics | undefined;
  #startup: Promise<void> | undefined;
  #shutdown: Promise<StopReport> | undefined;

  /** Does no I/O. Throws `VALIDATION_MALFORMED` for impossible options. */
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
    this.#metricsRegistry = metricsRegistry;
  }

  /** Answers placement requests; absent without a placement port. */
  get placement(): PlacementSupervisorBridge | undefined {
    return this.#ownership.placement;
  }

  /** Answers for the newest snapshot; absent without a partition port. */
  get partition(): PartitionManagerBridge | undefined {
    return this.#ownership.partition;
  }

  /** Takes reports of blocked and restored nodes; absent without a remoting port. */
  get remoting(): RemotingBridge | undefined {
    return this.#remoting;
  }

  /**
   * Restores the stored providers (or brings `providers` into force) and begins to watch. Resolves when watching has begun:
   * `topology` tells when something has arrived. Rejects with `VALIDATION_DUPLICATE_ID` when
   * `metricsRegistry` has one of the metrics already, as `GenerationStore.next` and as `ProviderRegistry.restore` and `reload` do; the
   * service is then stopped. A further call gives the same promise.
   */
  start(options: StartOptions = {}): Promise<void> {
    if (this.#shutdown !== undefined) {
      return Promise.reject(new ProvisioningError("LIFECYCLE_STOPPED", "the service was stopped"));
    }
    this.#startup ??= this.#start(options);
    return this.#startup;
  }

  on(type: "warning", listener: (warning: ServiceWarning) => unknown): Unsubscribe {
    return this.#events.on(type, listener);
  }

  /** Pins a provider above all others until released with `undefined`. Throws `VALIDATION_UNKNOWN_ID`. */
  override(providerId: ProviderId | undefined): void {
    this.#failover.override(providerId);
  }

  /** Accepts removals that the mass-removal guard holds. False when it holds none. */
  acceptRemovals(): boolean {
    return this.#failover.acceptRemovals();
  }

  /** One report a registered provider, highest priority first, the disabled ones included. */
  providerHealth(): readonly ProviderHealthReport[] {
    const reports = new Map(this.#failover.health().map((report) => [report.providerId, report]));
    return this.registry.list().map(({ descriptor: { id, disabled } }): ProviderHealthReport => {
      const report = reports.get(id);
      if (report !== undefined) return report;
      const health = disabled === undefined ? "idle" : "disabled";
      return { providerId: id, health, isActive: false, errors: 0, reason: disabled };
    });
  }

  /** The nodes that Remoting was informed of; none without a remoting port. */
  remoteNodes(): Iterable<RemoteNodeReport> {
    return this.#remoting?.nodes() ?? [];
  }

  /** How each port that was given is doing: calls in progress, failures, notices that wait or were given up. */
  consumers(): readonly PortReport[] {
    return [...this.#ownership.ports, ...(this.#remoting ? [this.#remoting.port] : [])];
  }

  /** Why a node is in, out, held or blocked; see `WatchHub.explain`. */
  explain(nodeId: NodeId): NodeExplanation {
    const remote = this.#remoting?.node(nodeId);
    return this.topology.explain(nodeId, { views: this.#failover.providerViews(), remote });
  }

  /**
   * Refuses new snapshots, lets consumers drain until the deadline, then ends and disposes of everything. Always resolves, at
   * the latest a second after the deadline, whatever hangs; a further call gives the same report.
   */
  stop(options: StopOptions = {}): Promise<StopReport> {
    this.#shutdown ??= this.#stop(options);
    return this.#shutdown;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #start({ signal: outer, providers }: StartOptions): Promise<void> {
    const signal =
      outer === undefined ? this.#stopping.signal : AbortSignal.any([outer, this.#stopping.signal]);
    let epoch: Epoch | undefined;
    try {
      if (this.#metricsRegistry !== undefined) await this.#createMetrics(this.#metricsRegistry, signal);
      // First, so that a start that is refused changes nothing that is stored.
      epoch = await this.#nextEpoch(signal);
      const loading = this.#lastKnownGood?.load(signal);
      await this.registry.restore({ signal, onlyFrom: providers });
      if (providers !== undefined) await this.registry.reload(providers, { signal });
      this.#lastKnownGood?.restore(await loading);
      throwIfAborted(signal);
    } catch (error) {
      void this.stop();
      throw error;
    }
    const reconfigure = () =>
      this.#failover.reconfigure(this.registry.list().flatMap(({ provider }) => provider ?? []));
    this.registry.on("changed", reconfigure);
    reconfigure();
    this.topology.start({ epoch });
    this.#lastKnownGood?.keep();
  }

  /** Imports the metrics, and prom-client with them, only for a service that has a registry for them. */
  async #createMetrics(registry: MetricsRegistry, signal: AbortSignal): Promise<void> {
    const { ProvisioningMetrics } = await import("@holdfast/metrics");
    throwIfAborted(signal);
    this.#metrics = new ProvisioningMetrics({
      registry,
      source: this.topology,
      clock: this.#clock,
      providerHealth: () => this.providerHealth(),
      remoteNodes: () => this.remoteNodes(),
      ports: () => this.consumers(),
    });
  }

  async #nextEpoch(signal: AbortSignal): Promise<Epoch | undefined> {
    if (this.#generation === undefined) return undefined;
    throwIfAborted(signal);
    try {
      // Not less than the clock: a store that was lost, or a return to a version without one, continues in order of time.
      const atLeast = Math.floor(this.#clock.now());
      const generation = await untilAborted(this.#generation.next({ atLeast, signal }), signal);
      return createEpoch(generation, this.#random);
    } catch (error) {
      throw toProvisioningError(error, "STORE_IO", "the generation store did not give a generation");
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
    this.#stopping.abort(new ProvisioningError("LIFECYCLE_STOPPED", "the service was stopped"));
    this.topology.drain("the service is shutting down");
    using deadline = this.#createDeadline(deadlineMs, signal);
    // A start that hangs in a save is reported below, by the registry.
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
    const unreleased = await this.#releaseProviders(Math.max(leftMs, LEAST_DISPOSAL_MS));
    this.#metrics?.[Symbol.dispose]();
    this.#events.clear();
    return { unfinished: [...reports.flatMap(({ unfinished }) => unfinished), ...unsaved, ...unreleased] };
  }

  /** A provider may be foreign code that hangs: it is then named in the report and not waited for. */
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
    const error = () => new ProvisioningError("LIFECYCLE_DRAIN_DEADLINE", `not done within ${afterMs} ms`);
    return createDeadline({ afterMs, clock: this.#clock, signal, error });
  }
}
