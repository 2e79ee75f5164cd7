import type { Availability, GuardHold, ProviderSnapshot, Reason, TopologyStatus } from "@holdfast/core";

export interface StatusInput {
  readonly lifecycle: "running" | "draining" | "stopped";
  /** Why the topology is draining or has stopped. */
  readonly lifecycleReason: string;
  readonly availability: Availability;
  readonly availabilityReason: string;
  readonly availabilityCause: Reason | undefined;
  readonly snapshot: ProviderSnapshot | undefined;
  readonly holds: readonly GuardHold[];
}

export interface Status {
  readonly status: TopologyStatus;
  /** Text for people; never empty. */
  readonly reason: string;
  /** The failure that caused the status; absent without one. */
  readonly cause?: Reason | undefined;
}

/** The status before the first event. */
export const STARTING: Status = { status: "starting", reason: "no snapshot has been received yet" };

export function toStatus(input: StatusInput): Status {
  const { lifecycle, availability, availabilityReason: reason, availabilityCause: cause, snapshot } = input;
  if (lifecycle !== "running") return { status: lifecycle, reason: input.lifecycleReason };
  if (availability === "unavailable") return { status: "unavailable", reason, cause };
  if (snapshot === undefined) {
    const detail = availability === "degraded" ? `: ${reason}` : "";
    return { status: "starting", reason: STARTING.reason + detail, cause };
  }
  const { providerId, members, retained } = snapshot;
  if (members.size === 0) {
    const empty = { status: "empty", reason: `"${providerId}" reports no members` } as const;
    return availability === "degraded" ? { ...empty, reason: `${empty.reason}; ${reason}`, cause } : empty;
  }
  if (availability === "degraded") return { status: "degraded", reason, cause };
  if (retained !== undefined) return { status: "degraded", reason: describeRetained(snapshot, input.holds) };
  return { status: "ready", reason: `"${providerId}" is current` };
}

function describeRetained(
  { providerId, members, retained = [] }: ProviderSnapshot,
  holds: readonly GuardHold[],
): string {
  const reasons = holds.filter(({ guard }) => guard !== "last_known_good").map(({ reason }) => reason);
  const reason = reasons.join("; ") || "a guard keeps them";
  if (retained.length === members.size) return `"${providerId}" reports no members: ${reason}`;
  return `${retained.length} of the ${members.size} members are not listed by "${providerId}": ${reason}`;
}
