import {
  OneAtATime,
  toReason,
  type Clock,
  type ClusterProvider,
  type GuardHold,
  type ProviderView,
  type ProviderHealthReport,
  type ProviderId,
  type ProviderSnapshot,
  type ProviderTermination,
  type ProvisioningError,
  type Random,
  type StreamEnd,
  type Update,
} from "@holdfast/core";
import type { Decision } from "./decision.ts";
import { updateChannel } from "./diagnostics.ts";
import { FailoverController } from "./failover-controller.ts";
import type { GuardPolicy } from "./guard-policy.ts";
import type { HealthPolicy } from "./health-policy.ts";
import type { Hold } from "./hold.ts";
import { NamingCheck } from "./naming-check.ts";
import { ProviderStream } from "./provider-stream.ts";
import type { Standbys } from "./standby-opinions.ts";
import type { StreamSignal } from "./stream-signal.ts";
import { SnapshotGuards, type RestoredSnapshot } from "./snapshot-guards.ts";

export interface FailoverSessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: HealthPolicy;
  readonly guards: GuardPolicy;
  /** The snapshot in force until a provider delivers one. */
  readonly restored?: RestoredSnapshot | undefined;
  readonly onUpdate: (update: Update) => void;
  /** Called when two providers give the same members different ids. */
  readonly onWarning: (warning: ProvisioningError) => void;
}

/** One configured provider: its stream, if it is watched, and its last snapshot. */
interface Source {
  readonly provider: ClusterProvider;
  stream: ProviderStream | undefined;
  snapshot: ProviderSnapshot | undefined;
  lastUpdateAt: number | undefined;
  /** When it last confirmed its content, in wall-clock milliseconds. */
  confirmedAt: number | undefined;
}

/** What happened to one provider's stream at the moment of a decision. */
interface Occurrence {
  /** The provider that confirmed its content, by a snapshot or a heartbeat. */
  readonly confirmed?: ProviderId | undefined;
  readonly ended?: StreamEnd | undefined;
}

/** One run of a `Failover`: passes signals to the controller, carries out its decisions, and reports each decision as one update. */
export class FailoverSession implements AsyncDisposable {
  readonly #options: FailoverSessionOptions;
  readonly #controller: FailoverController;
  readonly #guards: SnapshotGuards;
  readonly #naming: NamingCheck;
  readonly #sources = new Map<ProviderId, Source>();
  readonly #stopping = new Set<Promise<void>>();
  /** Reports updates. An update caused by a receiver is reported after the current one has been received. */
  readonly #outbox = new OneAtATime<Update>((update) => this.#report(update));
  /** The snapshot in force. */
  #snapshot: ProviderSnapshot | undefined;
  #wake: Disposable | undefined;
  #isDisposed = false;

  constructor(options: FailoverSessionOptions) {
    this.#options = options;
    this.#controller = new FailoverController(options.policy);
    this.#guards = new SnapshotGuards(options.guards, options.restored);
    this.#naming = new NamingCheck(options.onWarning);
  }

  configure(providers: readonly ClusterProvider[]): void {
    const wanted = new Map(providers.map((provider) => [provider.descriptor.id, provider]));
    const replaced = new Set<ProviderId>();
    for (const [id, source] of this.#sources) {
      const provider = wanted.get(id);
      if (provider === source.provider) continue;
      this.#stopStream(source);
      this.#sources.delete(id);
      this.#naming.forget(id);
      if (provider !== undefined) replaced.add(id);
    }
    for (const [id, provider] of wanted) {
      if (this.#sources.has(id)) continue;
      const fresh = {
        stream: undefined,
        snapshot: undefined,
        lastUpdateAt: undefined,
        confirmedAt: undefined,
      };
      this.#sources.set(id, { provider, ...fresh });
    }
    const set = [...wanted].map(([id, { descriptor }]) => ({
      id,
      priority: descriptor.priority,
      isReplaced: replaced.has(id),
    }));
    this.#carryOut(this.#controller.configure(set, this.#now()));
  }

  override(id: ProviderId | undefined): void {
    this.#carryOut(this.#controller.override(id, this.#now()));
  }

  acceptRemovals(): boolean {
    const isAccepted = this.#guards.acceptRemovals();
    if (isAccepted) this.#carryOut(this.#controller.tick(this.#now()));
    return isAccepted;
  }

  /** The last snapshot of each watched provider. */
  providerViews(): readonly ProviderView[] {
    return [...this.#sources].flatMap(([providerId, { snapshot }]) =>
      snapshot === undefined
        ? []
        : { providerId, isActive: this.#controller.active === providerId, snapshot },
    );
  }

  health(): readonly ProviderHealthReport[] {
    return [...this.#sources].flatMap(([providerId, { lastUpdateAt, confirmedAt }]) => {
      const candidate = this.#controller.candidate(providerId);
      if (candidate === undefined) return [];
      const { health, errors, reason } = candidate;
      const isActive = this.#controller.active === providerId;
      return [{ providerId, health, isActive, errors, lastUpdateAt, confirmedAt, reason }];
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#wake?.[Symbol.dispose]();
    for (const source of this.#sources.values()) this.#stopStream(source);
    await Promise.all(this.#stopping);
  }

  #onSignal(id: ProviderId, source: Source, signal: StreamSignal): void {
    if (this.#isDisposed || this.#sources.get(id) !== source) return;
    const controller = this.#controller;
    const now = this.#now();
    switch (signal.type) {
      case "connecting":
        return this.#carryOut(controller.connecting(id, now));
      case "snapshot": {
        source.snapshot = signal.snapshot;
        source.lastUpdateAt = this.#options.clock.now();
        const { staleness } = signal;
        if (staleness !== undefined) return this.#carryOut(controller.late(id, staleness, now));
        source.confirmedAt = source.lastUpdateAt;
        return this.#carryOut(controller.alive(id, now), { confirmed: id });
      }
      case "heartbeat":
        source.confirmedAt = source.lastUpdateAt = this.#options.clock.now();
        return this.#carryOut(controller.alive(id, now), { confirmed: id });
      case "held":
        source.lastUpdateAt = this.#options.clock.now();
        return this.#carryOut(controller.late(id, signal.reason, now));
      case "awaiting":
        return this.#carryOut(controller.awaiting(id, signal.reason, now));
      case "failed": {
        const { retryable } = signal.error;
        const reason = toReason(signal.error);
        const ended = this.#endOf(id, source, { kind: "errored", ...reason });
        return this.#carryOut(controller.failed(id, { reason, retryable }, now), { ended });
      }
      case "silent": {
        const { timeoutMs } = this.#options.policy;
        const message = `no sign of life for ${timeoutMs} ms`;
        const reason = { kind: "errored", code: "STREAM_SILENT", message, details: { timeoutMs } } as const;
        const ended = this.#endOf(id, source, reason);
        return this.#carryOut(controller.silent(id, now), { ended });
      }
      case "ended": {
        const ended = this.#endOf(id, source, { kind: "ended" });
        return this.#carryOut(controller.ended(id, now), { ended });
      }
    }
  }

  /** Drops the last snapshot of a stream that ended, as it may be out of date. Returns `undefined` for a stream that had no snapshot. */
  #endOf(providerId: ProviderId, source: Source, reason: ProviderTermination): StreamEnd | undefined {
    const { snapshot } = source;
    if (snapshot === undefined) return undefined;
    source.snapshot = undefined;
    return { providerId, reason, snapshotHash: snapshot.hash };
  }

  #carryOut(decision: Decision, { confirmed, ended }: Occurrence = {}): void {
    if (this.#isDisposed) return;
    const { active, switched, healthChanges } = decision;
    const snapshot = active === undefined ? undefined : this.#sources.get(active)?.snapshot;
    const standbys = this.#standbys(active);
    const output = this.#guards.pass({ decision, snapshot, standbys, now: this.#now() });
    this.#snapshot = output.snapshot ?? this.#snapshot;
    this.#watch(decision.watched);
    this.#sleepUntil(Math.min(decision.wakeAt ?? Number.POSITIVE_INFINITY, output.wakeAt));
    const update: Update = {
      snapshot: this.#snapshot,
      isFresh: confirmed !== undefined && confirmed === active,
      availability: output.availability,
      reason: output.reason,
      cause: output.cause,
      switched,
      ended,
      health: healthChanges,
      holds: output.holds.map((hold) => this.#toGuardHold(hold)),
    };
    // The receivers of updates and warnings may call methods of this session, so both are called last.
    this.#outbox.push(update);
    if (active !== undefined && snapshot !== undefined)
      this.#naming.compare(active, snapshot, standbys.healthy);
  }

  /** Reports nothing after the disposal, which may happen while an update waits. */
  #report(update: Update): void {
    if (this.#isDisposed) return;
    if (updateChannel.hasSubscribers) updateChannel.publish({ update });
    // A subscriber of the channel may have ended the run.
    if (!this.#isDisposed) this.#options.onUpdate(update);
  }

  #standbys(active: ProviderId | undefined): Standbys {
    const ids = new Set<ProviderId>();
    const healthy = new Map<ProviderId, ProviderSnapshot>();
    let isPending = false;
    for (const [id, { snapshot }] of this.#sources) {
      if (id === active) continue;
      ids.add(id);
      const { health, fault } = this.#controller.candidate(id) ?? {};
      isPending ||= health === "connecting" && fault === undefined;
      if (snapshot !== undefined && health === "healthy") healthy.set(id, snapshot);
    }
    return { ids, healthy, isPending };
  }

  #toGuardHold({ endsAt, ...hold }: Hold): GuardHold {
    return { ...hold, until: this.#options.clock.now() + endsAt - this.#now() };
  }

  #watch(watched: ReadonlySet<ProviderId>): void {
    const { policy, clock, random } = this.#options;
    for (const [id, source] of this.#sources) {
      if (!watched.has(id)) {
        this.#stopStream(source);
        source.snapshot = undefined;
      } else if (source.stream === undefined && !this.#isDisposed) {
        const onSignal = (signal: StreamSignal) => this.#onSignal(id, source, signal);
        source.stream = new ProviderStream({ provider: source.provider, policy, clock, random, onSignal });
      }
    }
  }

  #stopStream(source: Source): void {
    const { stream } = source;
    if (stream === undefined) return;
    source.stream = undefined;
    const stopping = stream[Symbol.asyncDispose]().finally(() => this.#stopping.delete(stopping));
    this.#stopping.add(stopping);
  }

  #sleepUntil(wakeAt: number): void {
    this.#wake?.[Symbol.dispose]();
    this.#wake = undefined;
    if (wakeAt === Number.POSITIVE_INFINITY || this.#isDisposed) return;
    this.#wake = this.#options.clock.schedule(wakeAt - this.#now(), () =>
      this.#carryOut(this.#controller.tick(this.#now())),
    );
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }
}
