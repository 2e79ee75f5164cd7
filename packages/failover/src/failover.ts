import {
  callIsolated,
  ProvisioningError,
  systemClock,
  systemRandom,
  whenAborted,
  type Clock,
  type ClusterProvider,
  type ProviderAnswer,
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
  /** In any order: priority and id decide. Their owner disposes of them. @defaultValue [] */
  readonly providers?: readonly ClusterProvider[] | undefined;
  /** @defaultValue systemClock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
  readonly health?: HealthOptions | undefined;
  readonly guards?: GuardOptions | undefined;
  /** Called when two providers name the same members differently, once for each pair. @defaultValue ignored */
  readonly onWarning?: ((warning: ProvisioningError) => unknown) | undefined;
}

/**
 * Watches several providers, decides which one to believe (`FailoverController` has the rules), and reports everything that
 * becomes true at one moment as one `Update`. A snapshot has the id of the provider that delivered it, and names in `retained` the
 * members that a guard keeps although that provider does not list them.
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
   * Watches until the signal aborts or this is disposed of; resolves when every watch has ended. The first update comes before the
   * call returns. Rejects with `LIFECYCLE_STOPPED` after disposal and `LIFECYCLE_RUNNING` while another run is in progress.
   */
  async run({ signal, onUpdate }: UpdateRun): Promise<void> {
    if (this.#disposal.signal.aborted) {
      throw new ProvisioningError("LIFECYCLE_STOPPED", "the failover was disposed of");
    }
    if (this.#session !== undefined) {
      throw new ProvisioningError("LIFECYCLE_RUNNING", "the failover already runs");
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
    // Begun before the first update, whose receiver may abort.
    const ended = this.#endWhenAborted(session, signal);
    session.configure(this.#providers);
    if (this.#pinned !== undefined) session.override(this.#pinned);
    await ended;
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
   * The next run begins with a snapshot of an earlier run, as `degraded`, until a provider delivers. It is `unavailable` once
   * every provider has been given up, or once the snapshot is older than `maxAgeMs`. Throws `STORE_EXPIRED` when it already is.
   */
  restore(options: RestoreOptions): void {
    this.#restored = toRestored(options, this.#clock);
  }

  /** Accepts a removal that the mass-removal guard holds. False when it holds none. */
  acceptRemovals(): boolean {
    return this.#session?.acceptRemovals() ?? false;
  }

  /** The last snapshot of each watched provider; empty while nothing runs. */
  answers(): readonly ProviderAnswer[] {
    return this.#session?.answers() ?? [];
  }

  /** One report for each provider, in the order in which they were given. While nothing runs all are idle. */
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

  /** Ends the run. The providers are left to their owner. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort();
    await this.#session?.[Symbol.asyncDispose]();
  }

  async #endWhenAborted(session: FailoverSession, signal: AbortSignal): Promise<void> {
    const either = AbortSignal.any([signal, this.#disposal.signal]);
    const { promise, resolve } = Promise.withResolvers<Promise<void>>();
    // Ends the session within the call to abort(), so that no update follows it.
    using _ = whenAborted(either, () => resolve(session[Symbol.asyncDispose]()));
    await promise;
    this.#session = undefined;
  }
}
