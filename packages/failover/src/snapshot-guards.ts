import type { Availability, ProviderSnapshot, Reason } from "@holdfast/core";
import type { Decision } from "./decision.ts";
import type { GuardPolicy } from "./guard-policy.ts";
import type { Hold } from "./hold.ts";
import { MassRemovalGuard } from "./mass-removal-guard.ts";
import { RemovalDwell } from "./removal-dwell.ts";
import type { Standbys } from "./standby-opinions.ts";

/** A snapshot of an earlier run, served until a provider delivers one. Times are monotonic milliseconds. */
export interface RestoredSnapshot {
  readonly snapshot: ProviderSnapshot;
  /** How long before this start its provider had last confirmed it. */
  readonly ageMs: number;
  readonly expiresAt: number;
}

export interface GuardInput {
  readonly decision: Pick<Decision, "active" | "availability" | "reason" | "cause" | "switched">;
  /** The snapshot of the active provider; absent while it has none. */
  readonly snapshot: ProviderSnapshot | undefined;
  readonly standbys: Standbys;
  readonly now: number;
}

/** The snapshot in force and its availability. */
export interface GuardOutput {
  /** Absent: the last snapshot stays in force. */
  readonly snapshot: ProviderSnapshot | undefined;
  readonly availability: Availability;
  readonly reason: string;
  /** The failure that caused the availability; absent without one. */
  readonly cause: Reason | undefined;
  readonly holds: readonly Hold[];
  /** When to call `pass` again because time alone changes its output; Infinity when it does not. */
  readonly wakeAt: number;
}

/** Derives the snapshot in force from the snapshot of the active provider. Pure: no clock, no I/O. */
export class SnapshotGuards {
  readonly #dwell: RemovalDwell;
  readonly #massRemoval: MassRemovalGuard | undefined;
  #restored: RestoredSnapshot | undefined;
  /** The last snapshot that `pass` returned. Restored snapshots are left out: their members are not kept after the first snapshot. */
  #lastOutput: ProviderSnapshot | undefined;
  /** A provider has delivered a snapshot. */
  #hasDelivered = false;
  /** The restored snapshot expired before a provider delivered. */
  #isExpired = false;

  constructor({ removalDwellMs, massRemoval }: GuardPolicy, restored?: RestoredSnapshot) {
    this.#dwell = new RemovalDwell(removalDwellMs);
    this.#massRemoval = massRemoval && new MassRemovalGuard(massRemoval, restored?.snapshot);
    this.#restored = restored;
  }

  pass(input: GuardInput): GuardOutput {
    const { now } = input;
    this.#expire(now);
    this.#hasDelivered ||= input.snapshot !== undefined;
    if (input.snapshot === undefined) {
      this.#dwell.interrupt(now);
      this.#massRemoval?.interrupt(now);
    }
    const snapshot = input.snapshot === undefined ? this.#fallback : this.#guard(input.snapshot, input);
    if (snapshot !== undefined && snapshot !== this.#restored?.snapshot) {
      this.#restored = undefined;
      this.#lastOutput = snapshot;
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

  /** An operator accepts the mass removal that is held back, at the next `pass`. Returns false when none is held back. */
  acceptRemovals(): boolean {
    return this.#massRemoval?.accept() ?? false;
  }

  /** The snapshot while the active provider has none. */
  get #fallback(): ProviderSnapshot | undefined {
    return this.#hasDelivered ? undefined : this.#restored?.snapshot;
  }

  #guard(snapshot: ProviderSnapshot, { decision, standbys, now }: GuardInput): ProviderSnapshot {
    const isCurrent = decision.availability === "available";
    const isFailback = decision.switched?.reason === "recovered";
    const dwelt = this.#dwell.pass({ snapshot, isCurrent, isFailback, inForce: this.#lastOutput, now });
    const { active = snapshot.providerId } = decision;
    return this.#massRemoval?.pass(active, dwelt, standbys, now) ?? dwelt;
  }

  #expire(now: number): void {
    if (this.#restored === undefined || now < this.#restored.expiresAt) return;
    this.#restored = undefined;
    this.#isExpired = !this.#hasDelivered;
    this.#massRemoval?.reset();
  }

  get #restoredHold(): Hold | undefined {
    if (this.#restored === undefined || this.#hasDelivered) return undefined;
    const { snapshot, ageMs, expiresAt } = this.#restored;
    const { providerId, members } = snapshot;
    const age = Math.round(ageMs / 1_000);
    const reason = `serving the last known good snapshot of "${providerId}", confirmed ${age} s before this start, until a provider delivers one`;
    return { guard: "last_known_good", providerId, nodes: members.size, endsAt: expiresAt, reason };
  }

  #toAvailability({
    availability,
    reason,
    cause,
  }: GuardInput["decision"]): Pick<GuardOutput, "availability" | "reason" | "cause"> {
    if (this.#isExpired && !this.#hasDelivered) {
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
