import type { Availability, ErrorCode, ProviderHealth, ProviderId, SwitchReason } from "@holdfast/core";
import { createCandidate, isHeld, type Ailment, type Candidate } from "./candidate.ts";
import type { HealthPolicy } from "./health-policy.ts";

export interface ProviderFailure {
  readonly code: ErrorCode;
  /** Retrying may mend it. When not, the provider is unreachable at once. */
  readonly retryable: boolean;
}

export interface HealthChange {
  readonly providerId: ProviderId;
  readonly from: ProviderHealth;
  readonly to: ProviderHealth;
  readonly reason?: ErrorCode | undefined;
}

export interface Switch {
  readonly from: ProviderId;
  readonly to: ProviderId;
  readonly reason: SwitchReason;
}

/** What is to be done after an input. */
export interface Decision {
  /** The provider believed now; at the start the one waited for. Absent when there is none. */
  readonly active: ProviderId | undefined;
  readonly switched: Switch | undefined;
  readonly healthChanges: readonly HealthChange[];
  readonly availability: Availability;
  /** For people; never empty. */
  readonly reason: string;
  /** Which providers are to be watched; the others are to be left alone. */
  readonly watched: ReadonlySet<ProviderId>;
  /** When to call `tick`, monotonic milliseconds; absent when only an input can change anything. */
  readonly wakeAt: number | undefined;
}

/**
 * Decides whom to believe. Inputs in, decision out: no timers, no I/O, no clock of its own, so that it can be checked
 * exhaustively. Every `now` is monotonic milliseconds and must not go backwards.
 *
 * The rules: the active provider is kept while it is healthy, waited for, or failing below `maxErrors`. When it ails
 * otherwise, the healthy provider of highest priority that is not barred takes over: at most one switch per cooldown,
 * except to a provider that has not failed within the cooldown. Who was left is barred until it has been healthy for a
 * whole cooldown; a better one gets its place back then. An override counts as the highest priority of all.
 */
export class FailoverController {
  readonly #policy: HealthPolicy;
  readonly #candidates = new Map<ProviderId, Candidate>();
  #order: Candidate[] = [];
  #active: Candidate | undefined;
  #lastSwitchAt = Number.NEGATIVE_INFINITY;
  #pinned: ProviderId | undefined;
  /** The pin was set and its switch, which asks nobody, has not happened yet. */
  #isPinPending = false;
  #changes: HealthChange[] = [];

  constructor(policy: HealthPolicy) {
    this.#policy = policy;
  }

  /** The set of providers changed. An id that stays keeps what is known of it. */
  configure(set: readonly { readonly id: ProviderId; readonly priority: number }[], now: number): Decision {
    const ids = new Set(set.map(({ id }) => id));
    for (const id of this.#candidates.keys()) if (!ids.has(id)) this.#candidates.delete(id);
    if (this.#pinned !== undefined && !ids.has(this.#pinned)) this.#pinned = undefined;
    for (const { id, priority } of set) {
      const known = this.#candidates.get(id);
      if (known === undefined) this.#candidates.set(id, createCandidate(id, priority));
      else known.priority = priority;
    }
    this.#sort();
    return this.#decide(now);
  }

  /** A watch on the provider begins. */
  connecting(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate?.health === "idle") this.#setHealth(candidate, "connecting");
    return this.#decide(now);
  }

  /** The provider was replaced by a new one of the same name, of which nothing is known yet. */
  replaced(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) this.#forget(candidate);
    return this.#decide(now);
  }

  /** A snapshot in time, or a heartbeat after one. */
  alive(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate === undefined) return this.#decide(now);
    candidate.errors = 0;
    candidate.ailment = undefined;
    candidate.code = undefined;
    candidate.healthySince ??= now;
    this.#setHealth(candidate, "healthy");
    return this.#decide(now);
  }

  /** A snapshot that came late, or does not come although the provider is alive. */
  late(id: ProviderId, now: number): Decision {
    return this.#ail(id, "health_degraded", "STREAM_LATE", "degraded", now);
  }

  failed(id: ProviderId, failure: ProviderFailure, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate === undefined) return this.#decide(now);
    candidate.errors++;
    const isLost = !failure.retryable || candidate.errors >= this.#policy.maxErrors;
    // Past help it stays so until it shows life: a further failure must not make it look better.
    const health = isLost || candidate.health === "unreachable" ? "unreachable" : "degraded";
    // A stream that ended stays ended until it is back, however its first retries fail.
    const ailment = candidate.ailment === "stream_ended" && !isLost ? "stream_ended" : "errors";
    return this.#ail(id, ailment, failure.code, health, now);
  }

  /** No sign of life within the timeout. */
  silent(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) candidate.errors++;
    return this.#ail(id, "timeout", "STREAM_SILENT", "unreachable", now);
  }

  /** The backend said that the stream is over. */
  ended(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate === undefined) return this.#decide(now);
    candidate.errors++;
    const isLost = candidate.errors >= this.#policy.maxErrors || candidate.health === "unreachable";
    return this.#ail(id, "stream_ended", "STREAM_ENDED", isLost ? "unreachable" : "degraded", now);
  }

  /** Pins a provider above all others until released with `undefined`. Takes effect once it is healthy. */
  override(id: ProviderId | undefined, now: number): Decision {
    this.#pinned = id;
    this.#isPinPending = id !== undefined;
    this.#sort();
    return this.#decide(now);
  }

  /** Time has passed. */
  tick(now: number): Decision {
    return this.#decide(now);
  }

  get active(): ProviderId | undefined {
    return this.#active?.id;
  }

  get pinned(): ProviderId | undefined {
    return this.#pinned;
  }

  candidate(id: ProviderId): Readonly<Candidate> | undefined {
    return this.#candidates.get(id);
  }

  #ail(
    id: ProviderId,
    ailment: Ailment,
    code: ErrorCode,
    health: Candidate["health"],
    now: number,
  ): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) {
      candidate.ailment = ailment;
      candidate.code = code;
      candidate.healthySince = undefined;
      candidate.failedAt = now;
      this.#setHealth(candidate, health);
    }
    return this.#decide(now);
  }

  #setHealth(candidate: Candidate, to: Candidate["health"]): void {
    if (candidate.health === to) return;
    this.#changes.push({ providerId: candidate.id, from: candidate.health, to, reason: candidate.code });
    candidate.health = to;
  }

  /** Not watched (any more): how it was says nothing about how it is. When it failed and whether it is barred stays. */
  #forget(candidate: Candidate): void {
    candidate.errors = 0;
    candidate.ailment = undefined;
    candidate.code = undefined;
    candidate.healthySince = undefined;
    this.#setHealth(candidate, "idle");
  }

  #sort(): void {
    const rank = (candidate: Candidate) =>
      candidate.id === this.#pinned ? Number.POSITIVE_INFINITY : candidate.priority;
    this.#order = [...this.#candidates.values()].sort(
      (a, b) => compare(rank(b), rank(a)) || compare(a.id, b.id),
    );
  }

  #decide(now: number): Decision {
    for (const candidate of this.#order) {
      if (candidate.isBarred && this.#isProven(candidate, now)) candidate.isBarred = false;
    }
    const switched = this.#switch(now);
    const watched = this.#watched();
    for (const candidate of this.#order) {
      if (!watched.has(candidate.id)) this.#forget(candidate);
    }
    const healthChanges = this.#changes;
    this.#changes = [];
    return {
      active: this.#active?.id,
      switched,
      healthChanges,
      ...this.#availability(now),
      watched,
      wakeAt: this.#wakeAt(now),
    };
  }

  #switch(now: number): Switch | undefined {
    const active = this.#active;
    if (active === undefined || this.#candidates.get(active.id) !== active) {
      // Whoever is first is waited for, unless a healthy one can take over from a provider that was taken away.
      const heir = active && this.#order.find((candidate) => candidate.health === "healthy");
      this.#active = heir ?? this.#order[0];
      if (active === undefined || this.#active === undefined) return undefined;
      return this.#switchTo(this.#active, active, "removed_by_reload", now);
    }
    const pinned = this.#isPinPending ? this.#order[0] : undefined;
    if (pinned !== undefined && pinned.id === this.#pinned && pinned.health === "healthy") {
      this.#isPinPending = false;
      if (pinned !== active) return this.#switchTo(pinned, active, "manual_override", now);
    }
    if (isHeld(active)) {
      const better = this.#order
        .slice(0, this.#order.indexOf(active))
        .find((candidate) => this.#isProven(candidate, now));
      return better && this.#switchTo(better, active, "recovered", now);
    }
    const alternate = this.#order.find(
      (candidate) => candidate !== active && this.#isEligible(candidate, now),
    );
    return alternate && this.#switchTo(alternate, active, active.ailment ?? "health_degraded", now);
  }

  #switchTo(to: Candidate, from: Candidate, reason: SwitchReason, now: number): Switch {
    this.#active = to;
    this.#lastSwitchAt = now;
    from.isBarred = !this.#isProven(from, now);
    to.isBarred = false;
    return { from: from.id, to: to.id, reason };
  }

  /** Healthy for a whole cooldown. */
  #isProven(candidate: Candidate, now: number): boolean {
    return candidate.healthySince !== undefined && now - candidate.healthySince >= this.#policy.cooldownMs;
  }

  #isEligible(candidate: Candidate, now: number): boolean {
    const { cooldownMs } = this.#policy;
    return (
      candidate.health === "healthy" &&
      !candidate.isBarred &&
      (now - this.#lastSwitchAt >= cooldownMs || now - candidate.failedAt >= cooldownMs)
    );
  }

  #availability(now: number): Pick<Decision, "availability" | "reason"> {
    const active = this.#active;
    if (active === undefined) return { availability: "unavailable", reason: "no provider is enabled" };
    if (active.health === "healthy") return { availability: "available", reason: `${active.id} is healthy` };
    if (this.#order.every(({ health }) => health === "unreachable")) {
      const names = this.#order.map(({ id, code }) => `${id} (${code})`).join(", ");
      return { availability: "unavailable", reason: `every provider is unreachable: ${names}` };
    }
    const waiting = this.#order.find(({ health }) => health === "healthy");
    const cause = `${active.id} is ${active.health}${active.code === undefined ? "" : ` (${active.code})`}`;
    const hope =
      waiting === undefined || this.#isEligible(waiting, now) || isHeld(active)
        ? ""
        : `; ${waiting.id} is healthy but in its cooldown`;
    return { availability: "degraded", reason: cause + hope };
  }

  /**
   * Warm: all. Cold: the active one and its betters (to see them recover), and while the active one ails the others in
   * turn, each once those before it have failed.
   */
  #watched(): ReadonlySet<ProviderId> {
    if (this.#policy.standby === "warm" || this.#active === undefined) {
      return new Set(this.#order.map(({ id }) => id));
    }
    const watched = new Set<ProviderId>();
    let needsMore = true;
    let isPastActive = false;
    for (const candidate of this.#order) {
      if (isPastActive && !needsMore) break;
      watched.add(candidate.id);
      if (candidate === this.#active) {
        isPastActive = true;
        needsMore = !isHeld(candidate);
      } else if (
        isPastActive &&
        (candidate.health === "healthy" || candidate.health === "idle" || candidate.health === "connecting")
      ) {
        needsMore = false;
      }
    }
    return watched;
  }

  /** The next moment at which time alone can change the decision. */
  #wakeAt(now: number): number | undefined {
    const { cooldownMs } = this.#policy;
    let wakeAt = Number.POSITIVE_INFINITY;
    const consider = (at: number) => {
      if (at > now && at < wakeAt) wakeAt = at;
    };
    for (const candidate of this.#order) {
      if (candidate === this.#active || candidate.healthySince === undefined) continue;
      consider(candidate.healthySince + cooldownMs);
      consider(candidate.failedAt + cooldownMs);
      consider(this.#lastSwitchAt + cooldownMs);
    }
    return Number.isFinite(wakeAt) ? wakeAt : undefined;
  }
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
