import type {
  Availability,
  GuardHold,
  HealthChange,
  ProviderId,
  ProviderSnapshot,
  ProviderSwitch,
  Reason,
  StreamEnd,
  SwitchReason,
  Update,
} from "@holdfast/core";

/** One change that an update brings; becomes an event of the log or a new state. */
export type Announcement =
  | ({ readonly type: "stream_end" } & StreamEnd)
  | ({ readonly type: "health" } & HealthChange)
  | ({ readonly type: "switch" } & ProviderSwitch)
  /** A hold began or changed, or ended (`isHolding: false`). */
  | { readonly type: "hold"; readonly isHolding: boolean; readonly hold: GuardHold }
  | { readonly type: "content"; readonly snapshot: ProviderSnapshot }
  /** The availability changed, or the reason for it. */
  | {
      readonly type: "availability";
      readonly availability: Availability;
      readonly reason: string;
      readonly cause?: Reason | undefined;
    };

/** The state after all announcements so far. */
export interface Announced {
  readonly snapshot: ProviderSnapshot | undefined;
  /** The last provider that was announced, by a switch or by a snapshot. */
  readonly providerId: ProviderId | undefined;
  /** The reason of the last switch. */
  readonly switchReason: SwitchReason;
  /** Absent until the availability has been announced. */
  readonly availability: Availability | undefined;
  readonly reason: string;
  readonly holds: readonly GuardHold[];
}

export const NOTHING_ANNOUNCED: Announced = {
  snapshot: undefined,
  providerId: undefined,
  switchReason: "recovered",
  availability: undefined,
  reason: "",
  holds: [],
};

export interface AnnouncerOutput {
  /** In the order in which readers must receive them. */
  readonly announcements: readonly Announcement[];
  readonly after: Announced;
}

/**
 * Turns an update into announcements. Each cause is announced before its effects: the end of a stream, health, the switch, new holds,
 * the content, then holds that ended or changed. A worse availability is announced before the content, and a restored one after it, so
 * that old content is never mistaken for current content. Pure.
 */
export function announce(before: Announced, update: Update): AnnouncerOutput {
  const announcements: Announcement[] = [];
  const { availability, reason, cause, snapshot, switched, ended } = update;
  if (ended !== undefined) announcements.push({ type: "stream_end", ...ended });
  for (const change of update.health) announcements.push({ type: "health", ...change });
  let { providerId, switchReason } = before;
  if (switched !== undefined) {
    // The switches form one chain: each starts at the provider announced last.
    const from = providerId ?? switched.from;
    if (from !== switched.to) announcements.push({ type: "switch", ...switched, from });
    ({ to: providerId, reason: switchReason } = switched);
  }
  const holds = compareHolds(before.holds, update.holds);
  for (const hold of holds.begun) announcements.push({ type: "hold", isHolding: true, hold });

  const isNew = snapshot !== undefined && snapshot !== before.snapshot;
  const isAvailabilityChanged = hasAvailabilityChanged(before, update, isNew);
  const availabilityNow = { type: "availability", availability, reason, ...(cause && { cause }) } as const;
  // Before the first content there is no old content, so the end of a degraded start may be announced first.
  const isFirst = isNew && before.snapshot === undefined && before.availability === "degraded";
  const isAhead = availability !== "available" || isFirst;
  if (isAvailabilityChanged && isAhead) announcements.push(availabilityNow);
  if (isNew) {
    if (providerId !== undefined && providerId !== snapshot.providerId) {
      const { providerId: to } = snapshot;
      announcements.push({ type: "switch", from: providerId, to, reason: switchReason });
    }
    providerId = snapshot.providerId;
    announcements.push({ type: "content", snapshot });
  }
  for (const hold of holds.over) announcements.push({ type: "hold", isHolding: false, hold });
  for (const hold of holds.changed) announcements.push({ type: "hold", isHolding: true, hold });
  if (isAvailabilityChanged && !isAhead) announcements.push(availabilityNow);

  const isAnnounced =
    isAvailabilityChanged || (before.availability === undefined && availability === "available");
  return {
    announcements,
    after: {
      snapshot: snapshot ?? before.snapshot,
      providerId,
      switchReason,
      availability: isAnnounced ? availability : before.availability,
      reason: isAnnounced ? reason : before.reason,
      holds: holds.announced,
    },
  };
}

/**
 * A new reason counts as a change too, except for `available`. At the start only a failure or the first content counts: that no snapshot
 * has been received yet is already known.
 */
function hasAvailabilityChanged(before: Announced, update: Update, isNew: boolean): boolean {
  const { availability, reason, cause } = update;
  if (before.availability === undefined) {
    if (availability === "available") return false;
    const isStarting = before.snapshot === undefined && !isNew;
    return !(isStarting && availability === "degraded" && cause === undefined);
  }
  if (availability !== before.availability) return true;
  return availability !== "available" && reason !== before.reason;
}

interface HoldChanges {
  readonly begun: readonly GuardHold[];
  readonly changed: readonly GuardHold[];
  readonly over: readonly GuardHold[];
  /** The current holds, each as it was last announced. */
  readonly announced: readonly GuardHold[];
}

function compareHolds(before: readonly GuardHold[], now: readonly GuardHold[]): HoldChanges {
  if (before.length === 0 && now.length === 0) return NO_HOLDS;
  const begun: GuardHold[] = [];
  const changed: GuardHold[] = [];
  const announced = now.map((hold) => {
    const known = find(before, hold);
    if (known !== undefined && isSameContent(known, hold)) return known;
    (known === undefined ? begun : changed).push(hold);
    return hold;
  });
  const over = before.filter((hold) => find(now, hold) === undefined);
  return { begun, changed, over, announced };
}

function find(holds: readonly GuardHold[], { guard, providerId }: GuardHold): GuardHold | undefined {
  return holds.find((other) => other.guard === guard && other.providerId === providerId);
}

const NO_HOLDS: HoldChanges = { begun: [], changed: [], over: [], announced: [] };

/** Ends of holds that differ by less than a second count as equal, because they are computed from clock readings of different moments. */
function isSameContent(a: GuardHold, b: GuardHold): boolean {
  return a.nodes === b.nodes && a.reason === b.reason && Math.abs(a.until - b.until) < 1_000;
}
