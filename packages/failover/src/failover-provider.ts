import {
  callIsolated,
  compareDescriptors,
  EventChannel,
  ProvisioningError,
  throwIfAborted,
  toProvisioningError,
  untilAborted,
  whenAborted,
  type Clock,
  type ClusterProvider,
  type ProbeOptions,
  type ProviderAnswer,
  type ProviderCapabilities,
  type ProviderDescriptor,
  type ProviderEvent,
  type ProviderHealthReport,
  type ProviderId,
  type Random,
  type WatchOptions,
} from "@holdfast/core";
import { FailoverSession } from "./failover-session.ts";
import { toGuardPolicy, type GuardOptions, type GuardPolicy } from "./guard-policy.ts";
import { toHealthPolicy, type HealthOptions, type HealthPolicy } from "./health-policy.ts";
import { toRestored, type RestoreOptions } from "./restored-snapshot.ts";
import type { RestoredSnapshot } from "./snapshot-guards.ts";

export interface FailoverProviderOptions {
  /** In any order: priority and id decide. Their owner disposes of them. */
  readonly providers: readonly ClusterProvider[];
  readonly clock: Clock;
  readonly random: Random;
  readonly health?: HealthOptions | undefined;
  readonly guards?: GuardOptions | undefined;
  /** Called when two providers name the same members differently, once for each pair. @defaultValue ignored */
  readonly onWarning?: ((warning: ProvisioningError) => unknown) | undefined;
  /** @defaultValue { id: "failover", kind: "failover", priority: 0, params: {} } */
  readonly descriptor?: ProviderDescriptor | undefined;
}

/**
 * A provider made of providers: emits the snapshots of the healthy provider of highest priority, and switches when that provider
 * fails (`FailoverController` has the rules). Snapshots carry the id of the provider that saw them. In addition to the events of
 * every provider it emits `provider_changed` ahead of the new provider's content, `health_changed`, `availability_changed`, and
 * `guard_changed` when members stay that the active provider does not list: such snapshots name them in `retained`.
 * Its watch never ends by itself. Can be nested.
 */
export class FailoverProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly policy: HealthPolicy;
  readonly #guards: GuardPolicy;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onWarning: (warning: ProvisioningError) => void;
  readonly #channels = new Set<EventChannel<ProviderEvent>>();
  readonly #disposal = new AbortController();
  #providers: readonly ClusterProvider[];
  #session: FailoverSession | undefined;
  /** Resolves when all earlier sessions have ended. */
  #ending: Promise<unknown> = Promise.resolve();
  #pinned: ProviderId | undefined;
  #restored: RestoredSnapshot | undefined;

  constructor(options: FailoverProviderOptions) {
    this.descriptor = options.descriptor ?? { id: "failover", kind: "failover", priority: 0, params: {} };
    this.policy = toHealthPolicy(options.health);
    this.#guards = toGuardPolicy(options.guards, this.policy);
    this.#clock = options.clock;
    this.#random = options.random;
    this.#onWarning = (warning) => callIsolated(() => options.onWarning?.(warning));
    this.#providers = options.providers;
  }

  /** Resolves as soon as one of the providers can be reached; otherwise rejects with the error of the first in order. */
  async probe({ signal }: ProbeOptions): Promise<void> {
    this.#assertUsable();
    throwIfAborted(signal);
    if (this.#providers.length === 0) {
      throw new ProvisioningError("CONNECTIVITY_REFUSED", `"${this.descriptor.id}" has no providers`);
    }
    const ranked = [...this.#providers].sort((a, b) => compareDescriptors(a.descriptor, b.descriptor));
    try {
      await untilAborted(Promise.any(ranked.map((provider) => provider.probe({ signal }))), signal);
    } catch (error) {
      const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
      throw toProvisioningError(
        first,
        "CONNECTIVITY_REFUSED",
        `no provider of "${this.descriptor.id}" answers`,
      );
    }
  }

  /** All watches share one session; a further one begins with the content in force. Watching starts at the first read. */
  async *watch({ signal }: WatchOptions): AsyncGenerator<ProviderEvent> {
    this.#assertUsable();
    if (signal.aborted) return;
    const either = AbortSignal.any([signal, this.#disposal.signal]);
    const channel = new EventChannel<ProviderEvent>(either, merge);
    const session = (this.#session ??= this.#begin());
    for (const event of session.current()) channel.push(event);
    this.#channels.add(channel);
    // A reader that aborts need not read on for its watch to end.
    using _ = whenAborted(either, () => void this.#leave(channel));
    try {
      yield* channel;
    } finally {
      await this.#leave(channel);
    }
  }

  /**
   * The set of providers changed. A provider that stays keeps its watch and its record. One that is replaced under its id starts
   * afresh, and the last snapshot is held until it delivers. When the active one is removed, a healthy one takes over at once.
   */
  reconfigure(providers: readonly ClusterProvider[]): void {
    this.#providers = providers;
    if (!providers.some(({ descriptor }) => descriptor.id === this.#pinned)) this.#pinned = undefined;
    this.#session?.configure(providers);
  }

  /** Pins a provider above all others until released with `undefined`. Throws `VALIDATION_UNKNOWN_ID`. */
  override(providerId: ProviderId | undefined): void {
    if (providerId !== undefined && !this.#providers.some(({ descriptor }) => descriptor.id === providerId)) {
      throw new ProvisioningError("VALIDATION_UNKNOWN_ID", `no provider is called "${providerId}"`, {
        details: { providerId },
      });
    }
    this.#pinned = providerId;
    this.#session?.override(providerId);
  }

  /**
   * The first watch begins with a snapshot of an earlier run, as `degraded`, until a provider delivers. It is `unavailable` once
   * every provider has been given up, or once the snapshot is older than `maxAgeMs`. Throws `STORE_EXPIRED` when it already is.
   */
  restore(options: RestoreOptions): void {
    this.#restored = toRestored(options, this.#clock);
  }

  /** Accepts a removal that the mass-removal guard holds. False when it holds none. */
  acceptRemovals(): boolean {
    return this.#session?.acceptRemovals() ?? false;
  }

  /** The last snapshot of each watched provider; empty before the first watch. */
  answers(): readonly ProviderAnswer[] {
    return this.#session?.answers() ?? [];
  }

  /** One report a provider, in order of preference. Before the first watch all are idle. */
  health(): readonly ProviderHealthReport[] {
    return (
      this.#session?.health() ??
      this.#providers.map(({ descriptor: { id } }) => ({
        providerId: id,
        health: "idle",
        isActive: false,
        errors: 0,
      }))
    );
  }

  /** Ends every watch. The providers are left to their owner. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    await this.#end();
  }

  #assertUsable(): void {
    if (!this.#disposal.signal.aborted) return;
    throw new ProvisioningError("LIFECYCLE_STOPPED", `"${this.descriptor.id}" was disposed of`);
  }

  #begin(): FailoverSession {
    const session = new FailoverSession({
      clock: this.#clock,
      random: this.#random,
      policy: this.policy,
      guards: this.#guards,
      restored: this.#restored,
      onWarning: this.#onWarning,
      emit: (event) => {
        for (const channel of this.#channels) channel.push(event);
      },
    });
    this.#restored = undefined;
    session.configure(this.#providers);
    if (this.#pinned !== undefined) session.override(this.#pinned);
    return session;
  }

  async #leave(channel: EventChannel<ProviderEvent>): Promise<void> {
    this.#channels.delete(channel);
    if (this.#channels.size === 0) await this.#end();
  }

  async #end(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#ending = Promise.all([this.#ending, session[Symbol.asyncDispose]()]);
    await this.#ending;
  }
}

/**
 * A reader that is behind needs only the newest of two snapshots of one provider, no heartbeat next to them, and only the newest
 * reason of one availability.
 */
function merge(last: ProviderEvent, next: ProviderEvent): ProviderEvent | undefined {
  if (last.type === "availability_changed" && next.type === "availability_changed") {
    return last.availability === next.availability ? next : undefined;
  }
  if (last.type !== "snapshot" && last.type !== "heartbeat") return undefined;
  if (next.type === "heartbeat") return last;
  if (next.type !== "snapshot") return undefined;
  const isOvertaken = last.type === "heartbeat" || last.snapshot.providerId === next.snapshot.providerId;
  if (!isOvertaken) return undefined;
  const isRepeat = next.isRepeat === true && last.type === "snapshot" && last.isRepeat === true;
  return { type: "snapshot", snapshot: next.snapshot, ...(isRepeat && { isRepeat }) };
}
