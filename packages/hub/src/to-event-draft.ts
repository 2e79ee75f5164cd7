import type { GuardHold, ProviderSnapshot, TopologyEventDraft } from "@holdfast/core";
import type { Announcement } from "./announcer.ts";

type HoldAnnouncement = Extract<Announcement, { readonly type: "hold" }>;
type LoggedAnnouncement =
  | HoldAnnouncement
  | Extract<Announcement, { readonly type: "stream_end" | "health" | "switch" }>;

/** Returns the log event for an announcement. `inForce` is the snapshot in force. */
export function toEventDraft(
  announcement: LoggedAnnouncement,
  inForce: ProviderSnapshot | undefined,
): TopologyEventDraft {
  switch (announcement.type) {
    case "switch": {
      const { from, to, reason, cause } = announcement;
      const draft = { kind: "provider_changed", from, to, reason, snapshotHash: inForce?.hash } as const;
      return { ...draft, ...(cause && { cause }) };
    }
    case "hold":
      return { kind: "guard_changed", isHolding: announcement.isHolding, ...announcement.hold };
    case "health": {
      const { providerId, from, to, reason } = announcement;
      return { kind: "health_changed", providerId, from, to, reason };
    }
    case "stream_end": {
      const { providerId, reason } = announcement;
      // The hash of the snapshot in force includes the blocked nodes, so it can differ from the hash of the provider's snapshot.
      const isInForce = providerId === inForce?.providerId;
      const snapshotHash = isInForce ? inForce?.hash : announcement.snapshotHash;
      return { kind: "stream_terminated", providerId, reason, snapshotHash };
    }
    default:
      return announcement satisfies never;
  }
}

/** Returns the holds after an announcement that a hold began, changed or ended. */
export function withHold(
  holds: readonly GuardHold[],
  { isHolding, hold }: HoldAnnouncement,
): readonly GuardHold[] {
  const others = holds.filter(
    ({ guard, providerId }) => guard !== hold.guard || providerId !== hold.providerId,
  );
  return isHolding ? [...others, hold] : others;
}
