import type { Availability, ProviderSnapshot, Reason } from "@holdfast/core";
import type { Decision } from "./decision.ts";
import type { GuardPolicy } from "./guard-policy.ts";
import type { Hold } from "./hold.ts";
import { MassRemovalGuard } from "./mass-removal-guard.ts";
import { RemovalDwell } from "./removal-dwell.ts";
import type { Standbys } from "./standby-opinions.ts";

/** A snapshot of an earlier run, served until a provider delivers. Times are monotonic milliseconds. */
export interface RestoredSnapshot {
  readonly snapshot: ProviderSnapshot;
  /** How long before this start its provider confirmed it. */
  readonly ageMs: number;
  readonly expiresAt: number;
}

export interface GuardInput {
  readonly decision: Pick<Decision, "active" | "availability" | "reason" | "cause" | "switched">;
  /** The snapshot of the active provider; absent while it has none. */
  readonly answer: ProviderSnapshot | undefined;
  readonly standbys: Standbys;
  readonly now: number;
}

/** What is shown, and how far it can be relied on. */
export interface GuardOutput {
  /** Absent: the snapshot shown last stays. */
  readonly snapshot: ProviderSnapshot | undefined;
  readonly availability: Availability;
  readonly reason: string;
  /** The failure behind the availability, where there is one. */
  readonly cause: Reason | undefined;
  readonly holds: readonly Hold[];
  /** When time alone changes the output; Infinity when it does not. */
  readonly wakeAt: number;
}

/** Decides what is shown for the snapshot of the active provider. Pure: no clock, no I/O. */
export class SnapshotGuards {
  readonly #dwell: RemovalDwell;
  readonly #massRemoval: MassRemovalGuard | undefined;
  #restored: RestoredSnapshot | undefined;
  /** What was shown last, unless it was restored: a restored member is not kept beyond the first snapshot. */
  #shown: ProviderSnapshot | undefined;
  #isAnswered = false;
  /** The restored snapshot expired before a provider delivered. */
  #isExpired = false;

  constructor({ removalDwellMs, massRemoval }: GuardPolicy, restored?: RestoredSnapshot) {
    this.#dwell = new RemovalDwell(removalDwellMs);
    this.#massRemoval = massRemoval && new MassRemovalGuard(massRemoval, restored?.snapshot);
    this.#restored = restored;
  }

  pass(input: GuardInput): GuardOutput {
    const { answer, now } = input;
    this.#expire(now);
    this.#isAnswered ||= answer !== undefined;
    if (answer === undefined) {
      this.#dwell.interrupt(now);
      this.#massRemoval?.interrupt(now);
    }
    const snapshot = answer === undefined ? this.#unanswered : this.#guard(answer, input);
    if (snapshot !== undefined && snapshot !== this.#restored?.snapshot) {
      this.#restored = undefined;
      this.#shown = snapshot;
    }
    const holds = [this.#restoredHold, this.#dwell.hold, this.#massRemoval?.hold].filter(
      (hold) => hold !== undefined,
    );
    const ends = [
      this.#restored?.expiresAt ?? now,
      this.#massRemoval?.wakeAt ?? now,
      ...holds.map(({ endsAt }) => endsAt),
    ];
    const wakeAt = Math.min(...ends.filter((at) => at > now));
    return { snapshot, ...this.#toAvailability(input.decision), holds, wakeAt };
  }

  /** An operator accepts a mass removal that is held, at the next `pass`. False when there is none. */
  acceptRemovals(): boolean {
    return this.#massRemoval?.accept() ?? false;
  }

  get #unanswered(): ProviderSnapshot | undefined {
    return this.#isAnswered ? undefined : this.#restored?.snapshot;
  }

  #guard(answer: ProviderSnapshot, { decision, standbys, now }: GuardInput): ProviderSnapshot {
    const isCurrent = decision.availability === "available";
    const isFailback = decision.switched?.reason === "recovered";
    const dwelt = this.#dwell.pass({ answer, isCurrent, isFailback, shown: this.#shown, now });
    const { active = answer.providerId } = decision;
    return this.#massRemoval?.pass(active, dwelt, standbys, now) ?? dwelt;
  }

  #expire(now: number): void {
    if (this.#restored === undefined || now < this.#restored.expiresAt) return;
    this.#restored = undefined;
    this.#isExpired = !this.#isAnswered;
    this.#massRemoval?.reset();
  }

  get #restoredHold(): Hold | undefined {
    if (this.#restored === undefined || this.#isAnswered) return undefined;
    const { snapshot, ageMs, expiresAt } = this.#restored;
    const { providerId, members } = snapshot;
    const age = Math.round(ageMs / 1_000);
    const reason = `serving the last known good snapshot of "${providerId}", confirmed ${age} s before this start, until a provider answers`;
    return { guard: "last_known_good", providerId, nodes: members.size, endsAt: expiresAt, reason };
  }

  #toAvailability({
    availability,
    reason,
    cause,
  }: GuardInput["decision"]): Pick<GuardOutput, "availability" | "reason" | "cause"> {
    if (this.#isExpired && !this.#isAnswered) {
      const expired = `the last known good snapshot has expired; ${reason}`;
      return { availability: "unavailable", reason: expired, cause };
    }
    const restored = this.#restoredHold;
    if (restored !== undefined) {
      const is = availability === "unavailable" ? "unavailable" : "degraded";
      return { availability: is, reason: `${restored.reason}; ${reason}`, cause };
    }
    return { availability, reason, cause };
  }
}
