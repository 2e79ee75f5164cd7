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

/** One fact of an update that readers are informed of. */
export type Announcement =
  | ({ readonly type: "stream_end" } & StreamEnd)
  | ({ readonly type: "health" } & HealthChange)
  | ({ readonly type: "switch" } & ProviderSwitch)
  /** A hold begins, has changed, or (`isHolding: false`) is over. */
  | { readonly type: "hold"; readonly isHolding: boolean; readonly hold: GuardHold }
  | { readonly type: "content"; readonly snapshot: ProviderSnapshot }
  /** The availability is another one, or the reason for it. */
  | {
      readonly type: "availability";
      readonly availability: Availability;
      readonly reason: string;
      readonly cause?: Reason | undefined;
    };

/** What has been announced so far. */
export interface Announced {
  readonly snapshot: ProviderSnapshot | undefined;
  /** The provider named last, in a switch or by its content. */
  readonly providerId: ProviderId | undefined;
  /** The reason of the last switch. */
  readonly switchReason: SwitchReason;
  /** Absent before the first announcement of it. */
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
  /** In the order in which readers have to learn of them. */
  readonly announcements: readonly Announcement[];
  readonly after: Announced;
}

/**
 * Turns an update into announcements, so that no reader learns of an effect before its cause: the end of a stream, health, the
 * switch, new holds, the content, then holds that ended or changed. An availability that got worse comes before the content, and
 * one that was restored after it, so that old content is never taken for current. Pure.
 */
export function announce(before: Announced, update: Update): AnnouncerOutput {
  const announcements: Announcement[] = [];
  const { availability, reason, cause, snapshot, switched, ended } = update;
  if (ended !== undefined) announcements.push({ type: "stream_end", ...ended });
  for (const change of update.health) announcements.push({ type: "health", ...change });
  let { providerId, switchReason } = before;
  if (switched !== undefined) {
    // The switches form one chain: each begins at the provider named last.
    const from = providerId ?? switched.from;
    if (from !== switched.to) announcements.push({ type: "switch", ...switched, from });
    ({ to: providerId, reason: switchReason } = switched);
  }
  const holds = compareHolds(before.holds, update.holds);
  for (const hold of holds.begun) announcements.push({ type: "hold", isHolding: true, hold });

  const isNew = snapshot !== undefined && snapshot !== before.snapshot;
  const isNews = isAvailabilityNews(before, update, isNew);
  const availabilityNow = { type: "availability", availability, reason, ...(cause && { cause }) } as const;
  // Before the first content nothing can be taken for current, so the end of a degraded start may come first.
  const isFirst = isNew && before.snapshot === undefined && before.availability === "degraded";
  const isAhead = availability !== "available" || isFirst;
  if (isNews && isAhead) announcements.push(availabilityNow);
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
  if (isNews && !isAhead) announcements.push(availabilityNow);

  const isAnnounced = isNews || (before.availability === undefined && availability === "available");
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
 * A new reason is news as well, except for `available`. That nothing has arrived yet is known at the start, so only a failure or
 * content is news then.
 */
function isAvailabilityNews(before: Announced, update: Update, isNew: boolean): boolean {
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
  /** The holds in force, each as it was announced last. */
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

/** Ends that differ by less than a second are the same: they are computed from clocks that were read at different moments. */
function isSameContent(a: GuardHold, b: GuardHold): boolean {
  return a.nodes === b.nodes && a.reason === b.reason && Math.abs(a.until - b.until) < 1_000;
}
