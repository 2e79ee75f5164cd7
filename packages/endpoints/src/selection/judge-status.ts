import {
  toReason,
  ProvisioningError,
  type ErrorCode,
  type Reason,
  type TopologyState,
  type TopologyStatus,
} from "@holdfast/core";
import type { StatusEffect, StatusEffects } from "./status-effects.ts";

export interface StatusInput {
  readonly topology: Pick<TopologyState, "status" | "statusReason" | "snapshot">;
  readonly effects: StatusEffects;
  /** The last members are used no longer, because the topology has been `unavailable` for too long. */
  readonly isKeepOver: boolean;
  /** Until when the last members are used, as text; absent for as long as it takes. */
  readonly keptUntil?: string | undefined;
  /** The number of endpoints that the last snapshot allows. */
  readonly endpoints: number;
  /** Why no endpoint is left; used only if `endpoints` is 0 although the snapshot has members. */
  readonly noneLeft: string;
}

/** What callers may do, and why. */
export interface StatusVerdict extends StatusEffect {
  readonly reason: string;
  /** Present exactly if `newCalls` is not `use`. */
  readonly refusal?: Reason | undefined;
}

/** Applies the table of status effects to one moment. Pure. */
export function judgeStatus(input: StatusInput): StatusVerdict {
  const { topology, effects, endpoints, isKeepOver, keptUntil } = input;
  const { status, statusReason, snapshot } = topology;
  const { newCalls, connections } = effects[status];
  const because = `the topology is ${status}: ${statusReason}`;
  const refuse = (code: ErrorCode, message: string, effect: "wait" | "refuse"): StatusVerdict => ({
    newCalls: effect,
    connections,
    reason: message,
    refusal: toReason(new ProvisioningError(code, message, { details: { status } })),
  });
  if (newCalls !== "use") return refuse(REFUSALS[status], because, newCalls);
  if (snapshot === undefined) {
    // Nothing is known: it may become usable at any moment, as in `starting`.
    return refuse(
      status === "unavailable" ? "TOPOLOGY_UNAVAILABLE" : "TOPOLOGY_NO_SNAPSHOT",
      because,
      "wait",
    );
  }
  if (status === "unavailable" && isKeepOver) {
    const message = `${because}; the last known members were used until ${keptUntil}`;
    return refuse("TOPOLOGY_UNAVAILABLE", message, "refuse");
  }
  if (endpoints === 0) {
    // That there were no members when it was last known does not mean that there are none now.
    if (status === "unavailable") return refuse("TOPOLOGY_UNAVAILABLE", because, "wait");
    if (snapshot.members.size === 0) return refuse("TOPOLOGY_EMPTY", because, "refuse");
    return refuse("TOPOLOGY_NO_ENDPOINT", `${input.noneLeft}; ${because}`, "refuse");
  }
  return { newCalls, connections, reason: describeUse(input, because) };
}

/** The code when the effect of the status itself refuses new calls. */
const REFUSALS: Readonly<Record<TopologyStatus, ErrorCode>> = {
  starting: "TOPOLOGY_NO_SNAPSHOT",
  ready: "TOPOLOGY_NO_ENDPOINT",
  degraded: "TOPOLOGY_NOT_CURRENT",
  empty: "TOPOLOGY_EMPTY",
  unavailable: "TOPOLOGY_UNAVAILABLE",
  draining: "LIFECYCLE_SHUTTING_DOWN",
  stopped: "LIFECYCLE_STOPPED",
};

function describeUse({ topology: { status }, keptUntil }: StatusInput, because: string): string {
  if (status === "ready") return because;
  const until = status === "unavailable" && keptUntil !== undefined ? ` until ${keptUntil}` : "";
  return `${because}; the last known members are used${until}`;
}
