import {
  callIsolated,
  ProvisioningError,
  systemClock,
  systemRandom,
  whenAborted,
  type Clock,
  type ClusterProvider,
  type ProviderView,
  type ProviderHealthReport,
  type ProviderId,
  type Random,
  type UpdateRun,
  type UpdateSource,
} from "@holdfast/core";
import { FailoverSession } from "./failover-session.ts";
import { toGuardPolicy, type GuardOptions, type GuardPolicy } from "./guard-policy.ts";
import { toHealthPolicy, type HealthOptions, type HealthPolicy } from "./health-policy.ts";
import { toRestored, type RestoreOptions } from "./restored-snapshot.ts";
import type { RestoredSnapshot } from "./snapshot-guards.ts";

export interface FailoverOptions {
  /** In any order: they are sorted by priority, then by id. The caller disposes of them. @defaultValue [] */
  readonly providers?: readonly ClusterProvider[] | undefined;
  /** @defaultValue systemClock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
  readonly health?: HealthOptions | undefined;
  readonly guards?: GuardOptions | undefined;
  /** Called once for each pair of providers that give the same machines different member ids. @defaultValue ignored */
  readonly onWarning?: ((warning: ProvisioningError) => unknown) | undefined;
}

/**
 * Watches several providers and chooses the active one (`FailoverController` has the rules). Everything that changes at one moment is
 * reported as one `Update`. A snapshot has the id of the provider that delivered it. Its `retained` lists the members that a guard
 * keeps although that provider does not list them.
 */
export class Failover implements UpdateSource, AsyncDisposable {
  readonly policy: HealthPolicy;
  readonly #guards: GuardPolicy;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onWarning: (warning: ProvisioningError) => void;
  readonly #disposal = new AbortController();
  #providers: readonly ClusterProvider[];
  #session: FailoverSession | undefined;
  #pinned: ProviderId | undefined;
  #restored: RestoredSnapshot | undefined;

  /** Throws `VALIDATION_MALFORMED` for a health or guard option that is out of its range. */
  constructor(options: FailoverOptions = {}) {
    this.policy = toHealthPolicy(options.health);
    this.#guards = toGuardPolicy(options.guards, this.policy);
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? systemRandom;
    this.#onWarning = (warning) => callIsolated(() => options.onWarning?.(warning));
    this.#providers = options.providers ?? [];
  }

  /**
   * Watches until the signal aborts or the failover is disposed of; resolves when every watch has ended. The first update is reported
   * before the call returns. Rejects with `LIFECYCLE_STOPPED` after disposal and `LIFECYCLE_RUNNING` while another run is in progress.
   */
  async run({ signal, onUpdate }: UpdateRun): Promise<void> {
    if (this.#disposal.signal.aborted) {
      throw new ProvisioningError("LIFECYCLE_STOPPED", "the failover was disposed of");
    }
    if (this.#session !== undefined) {
      throw new ProvisioningError("LIFECYCLE_RUNNING", "the failover is already running");
    }
    if (signal.aborted) return;
    const session = new FailoverSession({
      clock: this.#clock,
      random: this.#random,
      policy: this.policy,
      guards: this.#guards,
      restored: this.#restored,
      onWarning: this.#onWarning,
      onUpdate,
    });
    this.#restored = undefined;
    this.#session = session;
    // Started before the first update, because the receiver of that update may abort.
    const ended = this.#endWhenAborted(session, signal);
    session.configure(this.#providers);
    if (this.#pinned !== undefined) session.override(this.#pinned);
    await ended;
  }

  /**
   * Replaces the set of providers. A provider that stays in the set keeps its watch and its record. A provider that replaces another
   * one with the same id starts without a record, and the last snapshot stays in force until it delivers one. When the active provider
   * is removed, a healthy one takes over at once.
   */
  reconfigure(providers: readonly ClusterProvider[]): void {
    this.#providers = providers;
    if (!providers.some(({ descriptor }) => descriptor.id === this.#pinned)) this.#pinned = undefined;
    this.#session?.configure(providers);
  }

  /** Pins a provider above all others until called with `undefined`. Throws `VALIDATION_UNKNOWN_ID` for a provider that is not configured. */
  override(providerId: ProviderId | undefined): void {
    if (providerId !== undefined && !this.#providers.some(({ descriptor }) => descriptor.id === providerId)) {
      throw new ProvisioningError("VALIDATION_UNKNOWN_ID", `no provider has the id "${providerId}"`, {
        details: { providerId },
      });
    }
    this.#pinned = providerId;
    this.#session?.override(providerId);
  }

  /**
   * The next run starts with a snapshot of an earlier run, as `degraded`, until a provider delivers one. The availability becomes
   * `unavailable` when every provider is unreachable, or when the snapshot is older than `maxAgeMs`. Throws `STORE_EXPIRED` when it
   * already is older.
   */
  restore(options: RestoreOptions): void {
    this.#restored = toRestored(options, this.#clock);
  }

  /** Accepts the removal that the mass-removal guard holds back. Returns false when it holds none back. */
  acceptRemovals(): boolean {
    return this.#session?.acceptRemovals() ?? false;
  }

  /** The last snapshot of each watched provider that has one; empty outside a run. */
  providerViews(): readonly ProviderView[] {
    return this.#session?.providerViews() ?? [];
  }

  /** One report for each provider, in the order in which they were given. Outside a run all are idle. */
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

  /** Ends the run. Does not dispose of the providers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    await this.#session?.[Symbol.asyncDispose]();
  }

  async #endWhenAborted(session: FailoverSession, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#disposal.signal]);
    const { promise, resolve } = Promise.withResolvers<Promise<void>>();
    // Ends the session during the call to abort(), so that no update is reported after it.
    using _ = whenAborted(either, () => resolve(session[Symbol.asyncDispose]()));
    await promise;
    this.#session = undefined;
  }
}
