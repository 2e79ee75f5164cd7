import type { HealthChange, ProviderId, ProviderSwitch, Reason, SwitchReason } from "@holdfast/core";
import { createCandidate, hasDelivered, canStayActive, type Fault, type Candidate } from "./candidate.ts";
import type { ConfiguredProvider, Decision, ProviderFailure } from "./decision.ts";
import type { HealthPolicy } from "./health-policy.ts";

/**
 * Chooses the active provider. Each method takes one input and returns the decision that follows from it. The class has no timers, no
 * I/O and no clock, so tests can check it exhaustively. Every `now` is in monotonic milliseconds and must not go backwards.
 *
 * The rules:
 * - The active provider stays active while it is healthy, starting up, or has failed fewer than `maxErrors` times in a row.
 * - When its stream ends, its snapshots are late, it is unreachable, or it is silent for the timeout, the healthy provider of highest
 *   priority that is not excluded takes over.
 * - There is at most one switch per cooldown, except to a provider that has not failed within the cooldown.
 * - A provider we switched away from is excluded until it has been healthy for one cooldown. Failback to a provider of higher priority
 *   happens then.
 * - A provider pinned by an override ranks above every priority.
 */
export class FailoverController {
  readonly #policy: HealthPolicy;
  readonly #candidates = new Map<ProviderId, Candidate>();
  #order: Candidate[] = [];
  /** Kept when the last provider is removed: the next provider that is configured takes over from it. */
  #active: Candidate | undefined;
  #lastSwitchAt = Number.NEGATIVE_INFINITY;
  #pinned: ProviderId | undefined;
  /** A provider was pinned, and the switch to it has not happened yet. That switch ignores the cooldown. */
  #isPinPending = false;
  /** Every provider became unreachable, and none has delivered a snapshot since. A new connection attempt does not reset this. */
  #isExhausted = false;
  #changes: HealthChange[] = [];

  constructor(policy: HealthPolicy) {
    this.#policy = policy;
  }

  /** The set of providers changed. The record of an id that stays in the set is kept, unless its provider was replaced. */
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
      candidate.lastActivityAt = now;
      this.#setHealth(candidate, "connecting");
    }
    return this.#decide(now);
  }

  /** The provider sent a snapshot that is not late, or a heartbeat after a snapshot. */
  alive(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate === undefined) return this.#decide(now);
    candidate.hasWorked = true;
    candidate.confirmedAt = now;
    candidate.errors = 0;
    candidate.fault = undefined;
    candidate.reason = undefined;
    candidate.healthySince ??= now;
    candidate.lastActivityAt = now;
    this.#setHealth(candidate, "healthy");
    return this.#decide(now);
  }

  /** The provider is alive, but its content may be out of date: the snapshot was late, or the backend does not confirm it. */
  late(id: ProviderId, reason: Reason, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) candidate.hasWorked = true;
    return this.#showLife(id, reason, now);
  }

  /** The provider is alive, but has not sent its first snapshot. An unreachable provider stays unreachable until it does. */
  awaiting(id: ProviderId, reason: Reason, now: number): Decision {
    const isLost = this.#candidates.get(id)?.health === "unreachable";
    return isLost ? this.#decide(now) : this.#showLife(id, reason, now);
  }

  failed(id: ProviderId, failure: ProviderFailure, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate === undefined) return this.#decide(now);
    candidate.errors++;
    // Roles and tokens are rotated regularly, so a refusal is final only for a provider that has never worked.
    const isRefused = !failure.retryable && !candidate.hasWorked;
    const isLost = isRefused || candidate.errors >= this.#policy.maxErrors;
    // An unreachable provider stays unreachable until it is alive again: another failure must not raise it to `degraded`.
    const health = isLost || candidate.health === "unreachable" ? "unreachable" : "degraded";
    // While its first retries fail, the reason remains that the stream ended.
    const fault = candidate.fault === "stream_ended" && !isLost ? "stream_ended" : "errors";
    return this.#setFault(id, { fault, reason: failure.reason, health, now });
  }

  /** The provider sent nothing within the timeout. */
  silent(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) candidate.errors++;
    return this.#setFault(id, { fault: "timeout", reason: this.#silence, health: "unreachable", now });
  }

  /** The backend ended the watch. */
  ended(id: ProviderId, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate === undefined) return this.#decide(now);
    candidate.errors++;
    const isLost = candidate.errors >= this.#policy.maxErrors || candidate.health === "unreachable";
    const health = isLost ? "unreachable" : "degraded";
    return this.#setFault(id, { fault: "stream_ended", reason: ENDED, health, now });
  }

  /** Pins a provider above all others until called with `undefined`. Takes effect once the provider is healthy. */
  override(id: ProviderId | undefined, now: number): Decision {
    this.#pinned = id;
    this.#isPinPending = id !== undefined;
    this.#sort();
    return this.#decide(now);
  }

  /** Decides again without a new input, because time has passed. */
  tick(now: number): Decision {
    return this.#decide(now);
  }

  get active(): ProviderId | undefined {
    return this.#current?.id;
  }

  candidate(id: ProviderId): Readonly<Candidate> | undefined {
    return this.#candidates.get(id);
  }

  /** The active provider, if it is still configured. */
  get #current(): Candidate | undefined {
    return this.#order.find((candidate) => candidate === this.#active);
  }

  #showLife(id: ProviderId, reason: Reason, now: number): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) candidate.lastActivityAt = now;
    return this.#setFault(id, { fault: "health_degraded", reason, health: "degraded", now });
  }

  get #silence(): Reason {
    const { timeoutMs } = this.#policy;
    return {
      code: "STREAM_SILENT",
      message: `no sign of life for ${timeoutMs} ms`,
      details: { timeoutMs },
    };
  }

  #setFault(id: ProviderId, { fault, reason, health, now }: FaultChange): Decision {
    const candidate = this.#candidates.get(id);
    if (candidate !== undefined) {
      candidate.fault = fault;
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

  /** Resets the record of a provider that is no longer watched. `failedAt` and `isExcluded` are kept. */
  #forget(candidate: Candidate): void {
    candidate.errors = 0;
    candidate.fault = undefined;
    candidate.reason = undefined;
    candidate.healthySince = undefined;
    candidate.confirmedAt = undefined;
    candidate.lastActivityAt = undefined;
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
      if (candidate.isExcluded && this.#isProven(candidate, now)) candidate.isExcluded = false;
      // Failures do not count as activity: a provider that only fails for the whole timeout is silent.
      if (now >= this.#silentAt(candidate)) {
        candidate.fault = "timeout";
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
      // Wait for the first provider in order, unless a healthy one can take over from a provider that was removed.
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
    if (canStayActive(active)) {
      const better = this.#order
        .slice(0, this.#order.indexOf(active))
        .find((candidate) => this.#isProven(candidate, now));
      return better && this.#switchTo(better, active, "recovered", now);
    }
    const alternate = this.#order.find(
      (candidate) => candidate !== active && this.#isEligible(candidate, now),
    );
    return alternate && this.#switchTo(alternate, active, active.fault ?? "health_degraded", now);
  }

  #switchTo(to: Candidate, from: Candidate, reason: SwitchReason, now: number): ProviderSwitch {
    this.#active = to;
    this.#lastSwitchAt = now;
    from.isExcluded = !this.#isProven(from, now);
    to.isExcluded = false;
    const { reason: cause } = from;
    return { from: from.id, to: to.id, reason, ...(cause && { cause }) };
  }

  /** Whether it has been healthy for one cooldown. */
  #isProven(candidate: Candidate, now: number): boolean {
    return candidate.healthySince !== undefined && now - candidate.healthySince >= this.#policy.cooldownMs;
  }

  /** When a provider that reconnects becomes unreachable because of the timeout. For an open watch `ProviderStream` measures the timeout. */
  #silentAt({ health, lastActivityAt }: Candidate): number {
    const isReconnecting = health === "degraded" && lastActivityAt !== undefined;
    return isReconnecting ? lastActivityAt + this.#policy.timeoutMs : Number.POSITIVE_INFINITY;
  }

  #isEligible(candidate: Candidate, now: number): boolean {
    const { cooldownMs } = this.#policy;
    return (
      candidate.health === "healthy" &&
      !candidate.isExcluded &&
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
    const candidate = this.#order.find(({ health }) => health === "healthy");
    const state = `${active.id} is ${active.health}${cause === undefined ? "" : ` (${cause.code}): ${cause.message}`}`;
    const alternative =
      candidate === undefined || this.#isEligible(candidate, now) || canStayActive(active)
        ? ""
        : `; ${candidate.id} is healthy but in its cooldown`;
    return { availability: "degraded", reason: state + age + alternative, cause };
  }

  /**
   * The providers to watch. With `warm` standbys these are all providers. With `cold` standbys these are the active provider and those
   * of higher priority, so that their recovery is noticed. While the active provider cannot stay active, the others are added in order,
   * each once those before it have failed. A standby that is already watched stays watched until the active provider has been healthy
   * for one cooldown: otherwise an active provider that is healthy only briefly would interrupt each start of a standby.
   */
  #watched(now: number): ReadonlySet<ProviderId> {
    const active = this.#current;
    if (this.#policy.standby === "warm" || active === undefined) {
      return new Set(this.#order.map(({ id }) => id));
    }
    const past = this.#order.indexOf(active) + 1;
    const watched = new Set(this.#order.slice(0, past).map(({ id }) => id));
    const keepsWatched = !this.#isProven(active, now);
    let needsMore = !canStayActive(active);
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

interface FaultChange {
  readonly fault: Fault;
  readonly reason: Reason;
  readonly health: Candidate["health"];
  readonly now: number;
}

/** Text with the age of the content, for a provider that does not confirm its content. */
function ageOf({ fault, confirmedAt }: Candidate, now: number): string {
  if (fault !== "health_degraded" || confirmedAt === undefined) return "";
  return `; last confirmed ${Math.round((now - confirmedAt) / 1_000)} s ago`;
}

const ENDED: Reason = { code: "STREAM_ENDED", message: "the backend ended the watch" };

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
