import {
  toReason,
  type Availability,
  type Clock,
  type ClusterProvider,
  type GuardHold,
  type ProviderAnswer,
  type ProviderEvent,
  type ProviderHealthReport,
  type ProviderId,
  type ProviderSnapshot,
  type ProviderTermination,
  type ProvisioningError,
  type Random,
  type Reason,
  type SwitchReason,
} from "@holdfast/core";
import type { Decision, Switch } from "./decision.ts";
import { FailoverController } from "./failover-controller.ts";
import type { GuardPolicy } from "./guard-policy.ts";
import type { HealthPolicy } from "./health-policy.ts";
import type { Hold } from "./hold.ts";
import { NamingCheck } from "./naming-check.ts";
import { ProviderStream, type StreamSignal } from "./provider-stream.ts";
import type { Standbys } from "./standby-opinions.ts";
import { SnapshotGuards, type GuardOutput, type RestoredSnapshot } from "./snapshot-guards.ts";

export interface FailoverSessionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: HealthPolicy;
  readonly guards: GuardPolicy;
  /** Shown until a provider answers. */
  readonly restored?: RestoredSnapshot | undefined;
  readonly emit: (event: ProviderEvent) => void;
  /** Called when two providers name the same members differently. */
  readonly onWarning: (warning: ProvisioningError) => void;
}

type AvailabilityChange = Extract<ProviderEvent, { type: "availability_changed" }>;

/** One configured provider: its stream, if it is watched, and its last snapshot. */
interface Source {
  readonly provider: ClusterProvider;
  stream: ProviderStream | undefined;
  /** Set while a provider made of providers reports that it only holds its last snapshot. */
  doubt: Reason | undefined;
  snapshot: ProviderSnapshot | undefined;
  lastUpdateAt: number | undefined;
}

/** One run of a failover: passes signals to the controller and carries out its decisions. */
export class FailoverSession implements AsyncDisposable {
  readonly #options: FailoverSessionOptions;
  readonly #controller: FailoverController;
  readonly #guards: SnapshotGuards;
  readonly #naming: NamingCheck;
  readonly #sources = new Map<ProviderId, Source>();
  readonly #stopping = new Set<Promise<void>>();
  #emitted: ProviderSnapshot | undefined;
  /** The provider whose content readers expect: the last one named in a switch or in a snapshot. */
  #expected: ProviderId | undefined;
  /** The reason of the last switch. */
  #switchReason: SwitchReason = "recovered";
  #availability: Availability | undefined;
  #reason = "";
  #cause: Reason | undefined;
  #holds: readonly GuardHold[] = [];
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
      const nothing = { stream: undefined, snapshot: undefined, lastUpdateAt: undefined };
      this.#sources.set(id, { provider, doubt: undefined, ...nothing });
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
  answers(): readonly ProviderAnswer[] {
    return [...this.#sources].flatMap(([providerId, { snapshot }]) =>
      snapshot === undefined
        ? []
        : { providerId, isActive: this.#controller.active === providerId, snapshot },
    );
  }

  /** The events that bring a new reader up to date; a degraded availability comes before the content. */
  current(): readonly ProviderEvent[] {
    const events: ProviderEvent[] = [];
    const availability = this.#availability;
    const snapshot = this.#emitted;
    for (const hold of this.#holds) events.push({ type: "guard_changed", isHolding: true, hold });
    if (availability !== undefined && availability !== "available") {
      events.push({ type: "availability_changed", availability, reason: this.#reason, cause: this.#cause });
    }
    if (snapshot === undefined) return events;
    events.push({ type: "snapshot", snapshot, isRepeat: true });
    const { providerId: from } = snapshot;
    const to = this.#expected;
    if (to !== undefined && to !== from) {
      events.push({ type: "provider_changed", from, to, reason: this.#switchReason });
    }
    return events;
  }

  health(): readonly ProviderHealthReport[] {
    return [...this.#sources].flatMap(([providerId, { lastUpdateAt }]) => {
      const candidate = this.#controller.candidate(providerId);
      if (candidate === undefined) return [];
      const { health, errors, reason } = candidate;
      const isActive = this.#controller.active === providerId;
      return [{ providerId, health, isActive, errors, lastUpdateAt, reason }];
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
    const { clock, emit } = this.#options;
    const now = this.#now();
    switch (signal.type) {
      case "connecting":
        return this.#carryOut(this.#controller.connecting(id, now));
      case "snapshot": {
        source.snapshot = signal.snapshot;
        source.lastUpdateAt = clock.now();
        const doubt = signal.doubt ?? source.doubt;
        const before = this.#availability;
        this.#carryOut(
          doubt === undefined ? this.#controller.alive(id, now) : this.#controller.late(id, doubt, now),
          id,
        );
        // The content was emitted before it became current: the heartbeat confirms it.
        const isBack = before !== "available" && this.#availability === "available";
        if (isBack && this.#controller.active === id) emit({ type: "heartbeat" });
        return;
      }
      case "heartbeat": {
        source.lastUpdateAt = clock.now();
        const { doubt } = source;
        this.#carryOut(
          doubt === undefined ? this.#controller.alive(id, now) : this.#controller.late(id, doubt, now),
        );
        if (this.#controller.active === id) emit(signal);
        return;
      }
      case "held":
        source.lastUpdateAt = clock.now();
        return this.#carryOut(this.#controller.late(id, signal.reason, now));
      case "owing":
        return this.#carryOut(this.#controller.owing(id, signal.reason, now));
      case "failed": {
        const { retryable } = signal.error;
        const reason = toReason(signal.error);
        this.#terminated(id, source, { kind: "errored", ...reason });
        return this.#carryOut(this.#controller.failed(id, { reason, retryable }, now));
      }
      case "silent": {
        const { timeoutMs } = this.#options.policy;
        const message = `no sign of life for ${timeoutMs} ms`;
        this.#terminated(id, source, {
          kind: "errored",
          code: "STREAM_SILENT",
          message,
          details: { timeoutMs },
        });
        return this.#carryOut(this.#controller.silent(id, now));
      }
      case "ended":
        this.#terminated(id, source, { kind: "ended" });
        return this.#carryOut(this.#controller.ended(id, now));
      case "health_changed":
      case "terminated":
        return emit(signal);
      case "guard_changed":
        // The snapshots of the inner provider name what its guard keeps in `retained`.
        return;
      case "provider_changed":
        if (this.#controller.active === id) this.#expect(signal);
        return;
      case "availability_changed":
        return this.#carryOut(this.#judgeInner(id, source, signal, now));
    }
  }

  /** What a provider made of providers reports about itself as a whole. */
  #judgeInner(
    id: ProviderId,
    source: Source,
    { availability, reason: message, cause }: AvailabilityChange,
    now: number,
  ): Decision {
    source.doubt = availability === "degraded" ? { code: "STREAM_STALE", ...cause, message } : undefined;
    if (availability !== "unavailable" && source.snapshot === undefined) return this.#controller.tick(now);
    if (source.doubt !== undefined) return this.#controller.late(id, source.doubt, now);
    if (availability === "available") return this.#controller.alive(id, now);
    const reason: Reason = { code: "TOPOLOGY_UNAVAILABLE", message };
    return this.#controller.failed(id, { reason, retryable: false, isFinal: true }, now);
  }

  /** A stream that had delivered is over. Its last snapshot is no longer known to be true and is not used again. */
  #terminated(id: ProviderId, source: Source, reason: ProviderTermination): void {
    const { snapshot } = source;
    if (snapshot === undefined) return;
    source.snapshot = undefined;
    source.doubt = undefined;
    const { hash: snapshotHash, providerId } = snapshot;
    this.#options.emit({ type: "terminated", reason, providerId, snapshotHash });
  }

  /**
   * Emits health first, then the switch, then the new content, so that no reader sees an effect before its cause. A degraded
   * availability is emitted before the content and a restored one after it, so that no reader takes old content for current in
   * between. `heard` has just sent a snapshot: a snapshot of any other provider is shown as a repeat.
   */
  #carryOut(decision: Decision, heard?: ProviderId): void {
    const { emit } = this.#options;
    for (const { providerId, from, to, reason } of decision.healthChanges) {
      emit({ type: "health_changed", providerId, from, to, ...(reason && { reason }) });
    }
    const { active, switched } = decision;
    const answer = active === undefined ? undefined : this.#sources.get(active)?.snapshot;
    if (switched !== undefined) this.#expect({ ...switched, to: answer?.providerId ?? switched.to });
    const standbys = this.#standbys(active);
    if (active !== undefined && answer !== undefined) this.#naming.compare(active, answer, standbys.healthy);
    const output = this.#guards.pass({ decision, answer, standbys, now: this.#now() });
    const isOver = this.#tellNewHolds(output.holds);
    const { snapshot } = output;
    const isNew = snapshot !== undefined && snapshot !== this.#emitted;
    // With nothing shown before there is nothing old that could pass for current.
    const isFirst = isNew && this.#emitted === undefined && this.#availability === "degraded";
    if (output.availability !== "available" || isFirst) this.#announce(output, isNew);
    if (isNew) {
      const { providerId } = snapshot;
      // A provider made of providers may return with another of its own.
      this.#expect({ from: providerId, to: providerId, reason: this.#switchReason });
      this.#emitted = snapshot;
      emit({ type: "snapshot", snapshot, ...(heard !== active && { isRepeat: true }) });
    }
    // After the snapshot, so that readers see the end of a hold when its members have left or are listed again.
    for (const hold of isOver) emit({ type: "guard_changed", isHolding: false, hold });
    this.#retellHolds(output.holds);
    if (output.availability === "available") this.#announce(output, isNew);
    this.#watch(decision.watched);
    this.#sleepUntil(Math.min(decision.wakeAt ?? Number.POSITIVE_INFINITY, output.wakeAt));
  }

  #standbys(active: ProviderId | undefined): Standbys {
    const ids = new Set<ProviderId>();
    const healthy = new Map<ProviderId, ProviderSnapshot>();
    let isPending = false;
    for (const [id, { snapshot }] of this.#sources) {
      if (id === active) continue;
      ids.add(id);
      const { health, ailment } = this.#controller.candidate(id) ?? {};
      isPending ||= health === "connecting" && ailment === undefined;
      if (snapshot !== undefined && health === "healthy") healthy.set(id, snapshot);
    }
    return { ids, healthy, isPending };
  }

  /** Returns the holds that ended. */
  #tellNewHolds(holds: readonly Hold[]): readonly GuardHold[] {
    const before = this.#holds;
    const kept = before.filter((known) => holds.some((hold) => isSameHold(hold, known)));
    const begun = holds.filter((hold) => !before.some((known) => isSameHold(hold, known)));
    this.#holds = [...kept, ...begun.map((hold) => this.#toGuardHold(hold))];
    for (const hold of this.#holds.slice(kept.length)) this.#tellHold(hold);
    return before.filter((known) => !kept.includes(known));
  }

  /** Emits holds whose count, reason or end has changed. */
  #retellHolds(holds: readonly Hold[]): void {
    for (const hold of holds) {
      const at = this.#holds.findIndex((known) => isSameHold(hold, known));
      const known = this.#holds[at];
      const now = this.#toGuardHold(hold);
      if (known === undefined || isSameContent(known, now)) continue;
      this.#holds = this.#holds.with(at, now);
      this.#tellHold(now);
    }
  }

  #tellHold(hold: GuardHold): void {
    this.#options.emit({ type: "guard_changed", isHolding: true, hold });
  }

  #toGuardHold({ endsAt, ...hold }: Hold): GuardHold {
    return { ...hold, until: this.#options.clock.now() + endsAt - this.#now() };
  }

  /** Emits whose content follows. The changes form one chain: each begins where the last one ended. */
  #expect({ from: known, to, reason, cause }: Switch): void {
    const from = this.#expected ?? known;
    this.#expected = to;
    this.#switchReason = reason;
    if (from !== to)
      this.#options.emit({ type: "provider_changed", from, to, reason, ...(cause && { cause }) });
  }

  /**
   * Also when only the reason has changed, so that readers have the current one. Before the first snapshot a degraded
   * availability is news only with a failure behind it: that nothing has arrived yet is known.
   */
  #announce({ availability, reason, cause }: GuardOutput, isNew: boolean): void {
    const before = this.#availability;
    const isStarting = before === undefined && this.#emitted === undefined && !isNew;
    if (isStarting && availability === "degraded" && cause === undefined) return;
    if (availability === before && (availability === "available" || reason === this.#reason)) return;
    this.#availability = availability;
    this.#reason = reason;
    this.#cause = cause;
    if (before === undefined && availability === "available") return;
    this.#options.emit({ type: "availability_changed", availability, reason, ...(cause && { cause }) });
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
    source.doubt = undefined;
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

function isSameHold(a: Pick<GuardHold, "guard" | "providerId">, b: typeof a): boolean {
  return a.guard === b.guard && a.providerId === b.providerId;
}

/** Clocks are read at different moments, so ends that are this close are the same. */
function isSameContent(a: GuardHold, b: GuardHold): boolean {
  return a.nodes === b.nodes && a.reason === b.reason && Math.abs(a.until - b.until) < 1_000;
}
