import type { HealthChange, ProviderId, ProviderSwitch, Reason, SwitchReason } from "@holdfast/core";
import { createCandidate, hasDelivered, isHeld, type Ailment, type Candidate } from "./candidate.ts";
import type { ConfiguredProvider, Decision, ProviderFailure } from "./decision.ts";
import type { HealthPolicy } from "./health-policy.ts";

/**
 * Chooses the active provider. Inputs in, decision out: no timers, no I/O, no clock of its own, so that it can be checked
 * exhaustively. Every `now` is monotonic milliseconds and must not go backwards.
 *
 * The rules: the active provider is kept while it is healthy, starting up, or failing fewer than `maxErrors` times in a row. When
 * its stream ends, it is late, unreachable, or shows no life for the timeout, the healthy provider of highest priority that is
 * not barred takes over: at most one switch per cooldown, except to a provider that has not failed within the cooldown. A
 * provider we switched away from is barred until it has been healthy for one cooldown; failback to a higher priority happens
 * then. An override counts as the highest priority of all.
 */
export class FailoverController {
  readonly #policy: HealthPolicy;
  readonly #candidates = new Map<ProviderId, Candidate>();
  #order: Candidate[] = [];
  /** Kept when the last provider is removed: the next one takes over from it. */
  #active: Candidate | undefined;
  #lastSwitchAt = Number.NEGATIVE_INFINITY;
  #pinned: ProviderId | undefined;
  /** The pin was set, and the switch to it, which ignores the cooldown, has not happened yet. */
  #isPinPending = false;
  /** Every provider was given up, and none has delivered since. A new attempt alone does not clear it. */
  #isExhausted = false;
  #changes: HealthChange[] = [];

  constructor(policy: HealthPolicy) {
    this.#policy = policy;
  }

  /** The set of providers changed. An id that stays keeps what is known of it, unless it was replaced. */
  configure(set: readonly ConfiguredProvider[], now: number): Decision {
    const ids = new Set(set.map(({ id }) => id));
    for (const id of this.#candidates.keys()) if (!ids.has(id)) this.#candidates.delete(id);
    if (this.#pinned !== undefined && !ids.has(this.#pinned)) this.#pinned = undefined;
    for (const { id, priority, isReplaced = false } of set) {
      const known = this.#candidates.get(id) ?? createCandidate(id, priority);
      this.#candidates.set(id, known);
      known.priority = priority;
      if (!isReplaced) continue;
      this.#forget(known);
      known.hasWorked = false;
    }
    this.#sort();
    return this.#decide(now);
  }

  /** A watch on the provider begins. */
  connecting(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate?.health === "idle") {
      candidate.heardAt = now;
      this.#setHealth(candidate, "connecting");
    }
    return this.#decide(now);
  }

  /** A snapshot in time, or a heartbeat after one. */
  alive(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate === undefined) return this.#decide(now);
    candidate.hasWorked = true;
    candidate.vouchedAt = now;
    candidate.errors = 0;
    candidate.ailment = undefined;
    candidate.reason = undefined;
    candidate.healthySince ??= now;
    candidate.heardAt = now;
    this.#setHealth(candidate, "healthy");
    return this.#decide(now);
  }

  /** Alive, but its content may be out of date: the snapshot came late, or the backend does not vouch for it. */
  late(id: ProviderId, reason: Reason, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) candidate.hasWorked = true;
    return this.#showLife(id, reason, now);
  }

  /** Alive, but has not sent its first snapshot. An unreachable provider stays unreachable until it does. */
  awaiting(id: ProviderId, reason: Reason, now: number): Decision {
    const isLost = this.#candidates.get(id)?.health === "unreachable";
    return isLost ? this.#decide(now) : this.#showLife(id, reason, now);
  }

  failed(id: ProviderId, failure: ProviderFailure, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate === undefined) return this.#decide(now);
    candidate.errors++;
    // Roles and tokens are replaced all the time: only a provider that never worked is given up at its first refusal.
    const isRefused = !failure.retryable && !candidate.hasWorked;
    const isLost = isRefused || candidate.errors >= this.#policy.maxErrors;
    // An unreachable provider stays unreachable until it shows life: a further failure must not make it look better.
    const health = isLost || candidate.health === "unreachable" ? "unreachable" : "degraded";
    // A stream that ended stays ended until it is back, however its first retries fail.
    const ailment = candidate.ailment === "stream_ended" && !isLost ? "stream_ended" : "errors";
    return this.#setAilment(id, { ailment, reason: failure.reason, health, now });
  }

  /** No sign of life within the timeout. */
  silent(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) candidate.errors++;
    return this.#setAilment(id, { ailment: "timeout", reason: this.#silence, health: "unreachable", now });
  }

  /** The backend ended the stream. */
  ended(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate === undefined) return this.#decide(now);
    candidate.errors++;
    const isLost = candidate.errors >= this.#policy.maxErrors || candidate.health === "unreachable";
    const health = isLost ? "unreachable" : "degraded";
    return this.#setAilment(id, { ailment: "stream_ended", reason: ENDED, health, now });
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
    return this.#current?.id;
  }

  candidate(id: ProviderId): Readonly<Candidate> | undefined {
    return this.#candidates.get(id);
  }

  /** The active provider; absent when the last provider was removed. */
  get #current(): Candidate | undefined {
    return this.#order.find((candidate) => candidate === this.#active);
  }

  #showLife(id: ProviderId, reason: Reason, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) candidate.heardAt = now;
    return this.#setAilment(id, { ailment: "health_degraded", reason, health: "degraded", now });
  }

  get #silence(): Reason {
    const { timeoutMs } = this.#policy;
    return {
      code: "STREAM_SILENT",
      message: `no sign of life for ${timeoutMs} ms`,
      details: { timeoutMs },
    };
  }

  #setAilment(id: ProviderId, { ailment, reason, health, now }: AilmentChange): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) {
      candidate.ailment = ailment;
      candidate.reason = reason;
      candidate.healthySince = undefined;
      candidate.failedAt = now;
      this.#setHealth(candidate, health);
    }
    return this.#decide(now);
  }

  #setHealth(candidate: Candidate, to: Candidate["health"]): void {
    if (candidate.health === to) return;
    this.#changes.push({ providerId: candidate.id, from: candidate.health, to, reason: candidate.reason });
    candidate.health = to;
  }

  /** Resets the record of a provider that is not watched any more. When it failed, and whether it is barred, stays. */
  #forget(candidate: Candidate): void {
    candidate.errors = 0;
    candidate.ailment = undefined;
    candidate.reason = undefined;
    candidate.healthySince = undefined;
    candidate.vouchedAt = undefined;
    candidate.heardAt = undefined;
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
      // A provider that fails now and then shows life between its failures. One that shows none is silent, however it fails.
      if (now >= this.#silentAt(candidate)) {
        candidate.ailment = "timeout";
        candidate.reason = this.#silence;
        this.#setHealth(candidate, "unreachable");
      }
    }
    const switched = this.#switch(now);
    const watched = this.#watched(now);
    for (const candidate of this.#order) {
      if (!watched.has(candidate.id)) this.#forget(candidate);
    }
    if (this.#order.some(hasDelivered)) this.#isExhausted = false;
    else if (this.#order.length > 0)
      this.#isExhausted ||= this.#order.every(({ health }) => health === "unreachable");
    const healthChanges = this.#changes;
    this.#changes = [];
    return {
      active: this.active,
      switched,
      healthChanges,
      ...this.#availability(now),
      watched,
      wakeAt: this.#wakeAt(now),
    };
  }

  #switch(now: number): ProviderSwitch | undefined {
    const active = this.#active;
    if (active === undefined || this.#candidates.get(active.id) !== active) {
      // The first in order is waited for, unless a healthy one can take over from a provider that was removed.
      const successor = active && this.#order.find((candidate) => candidate.health === "healthy");
      const next = successor ?? this.#order[0];
      if (next === undefined) return undefined;
      this.#active = next;
      if (active === undefined || active.id === next.id) return undefined;
      return this.#switchTo(next, active, "removed_by_reload", now);
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

  #switchTo(to: Candidate, from: Candidate, reason: SwitchReason, now: number): ProviderSwitch {
    this.#active = to;
    this.#lastSwitchAt = now;
    from.isBarred = !this.#isProven(from, now);
    to.isBarred = false;
    const { reason: cause } = from;
    return { from: from.id, to: to.id, reason, ...(cause && { cause }) };
  }

  /** Healthy for a whole cooldown. */
  #isProven(candidate: Candidate, now: number): boolean {
    return candidate.healthySince !== undefined && now - candidate.healthySince >= this.#policy.cooldownMs;
  }

  /** When the timeout passes without life while it reconnects. `ProviderStream` watches an open stream. */
  #silentAt({ health, heardAt }: Candidate): number {
    const isReconnecting = health === "degraded" && heardAt !== undefined;
    return isReconnecting ? heardAt + this.#policy.timeoutMs : Number.POSITIVE_INFINITY;
  }

  #isEligible(candidate: Candidate, now: number): boolean {
    const { cooldownMs } = this.#policy;
    return (
      candidate.health === "healthy" &&
      !candidate.isBarred &&
      (now - this.#lastSwitchAt >= cooldownMs || now - candidate.failedAt >= cooldownMs)
    );
  }

  #availability(now: number): Pick<Decision, "availability" | "reason" | "cause"> {
    const active = this.#current;
    if (active === undefined) {
      return { availability: "unavailable", reason: "no provider is enabled", cause: undefined };
    }
    const { reason: cause } = active;
    if (active.health === "healthy") {
      return { availability: "available", reason: `${active.id} is healthy`, cause };
    }
    if (this.#isExhausted) {
      const all = this.#order.map(({ id, health, reason }) => `${id} (${reason?.code ?? health})`);
      const detail = cause === undefined ? "" : `; ${active.id}: ${cause.message}`;
      return {
        availability: "unavailable",
        reason: `no provider can serve: ${all.join(", ")}${detail}`,
        cause,
      };
    }
    const age = ageOf(active, now);
    const waiting = this.#order.find(({ health }) => health === "healthy");
    const state = `${active.id} is ${active.health}${cause === undefined ? "" : ` (${cause.code}): ${cause.message}`}`;
    const hope =
      waiting === undefined || this.#isEligible(waiting, now) || isHeld(active)
        ? ""
        : `; ${waiting.id} is healthy but in its cooldown`;
    return { availability: "degraded", reason: state + age + hope, cause };
  }

  /**
   * Warm: all. Cold: the active one and those of higher priority (to see them recover), and while the active one is not well
   * the others in turn, each once those before it have failed. A standby that is being watched stays so until the active one
   * is proven: otherwise one that shows life now and then would keep the others from ever getting that far.
   */
  #watched(now: number): ReadonlySet<ProviderId> {
    const active = this.#current;
    if (this.#policy.standby === "warm" || active === undefined) {
      return new Set(this.#order.map(({ id }) => id));
    }
    const past = this.#order.indexOf(active) + 1;
    const watched = new Set(this.#order.slice(0, past).map(({ id }) => id));
    const keepsWatched = !this.#isProven(active, now);
    let needsMore = !isHeld(active);
    for (const { id, health } of this.#order.slice(past)) {
      if (needsMore || (keepsWatched && health !== "idle")) watched.add(id);
      if (health === "healthy" || health === "idle" || health === "connecting") needsMore = false;
    }
    return watched;
  }

  /** The next moment at which time alone can change the decision. */
  #wakeAt(now: number): number | undefined {
    const { cooldownMs, standby } = this.#policy;
    let wakeAt = Number.POSITIVE_INFINITY;
    const consider = (at: number) => {
      if (at > now && at < wakeAt) wakeAt = at;
    };
    for (const candidate of this.#order) {
      consider(this.#silentAt(candidate));
      const isActive = candidate === this.#active;
      if (candidate.healthySince === undefined || (isActive && standby === "warm")) continue;
      consider(candidate.healthySince + cooldownMs);
      if (isActive) continue;
      consider(candidate.failedAt + cooldownMs);
      consider(this.#lastSwitchAt + cooldownMs);
    }
    return Number.isFinite(wakeAt) ? wakeAt : undefined;
  }
}

/** What is wrong with a provider from now on. */
interface AilmentChange {
  readonly ailment: Ailment;
  readonly reason: Reason;
  readonly health: Candidate["health"];
  readonly now: number;
}

/** How old the content of a provider is that does not vouch for it. */
function ageOf({ ailment, vouchedAt }: Candidate, now: number): string {
  if (ailment !== "health_degraded" || vouchedAt === undefined) return "";
  return `; last confirmed ${Math.round((now - vouchedAt) / 1_000)} s ago`;
}

const ENDED: Reason = { code: "STREAM_ENDED", message: "the backend ended the watch" };

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
