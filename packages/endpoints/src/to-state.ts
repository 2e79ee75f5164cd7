import { ProvisioningError, toReason, type TopologyState } from "@holdfast/core";
import type { Endpoint } from "./endpoint.ts";
import type { EndpointCounts, EndpointsState } from "./endpoints-state.ts";
import { judgeStatus } from "./selection/judge-status.ts";
import type { Selected } from "./selection/selector.ts";
import type { StatusEffects } from "./selection/status-effects.ts";

export interface StateInput {
  readonly topology: TopologyState;
  /** Absent before the first snapshot. */
  readonly selected: Selected | undefined;
  readonly effects: StatusEffects;
  /** The last members are used no longer, because the topology has been `unavailable` for too long. */
  readonly isKeepOver: boolean;
  /** Until when the last members are used, as text; absent for as long as it takes. */
  readonly keptUntil?: string | undefined;
}

const NO_ENDPOINTS: readonly Endpoint[] = [];

/** Combines the selection and the effect of the status. Pure. */
export function toState({ topology, selected, ...rest }: StateInput): EndpointsState {
  const endpoints = selected?.endpoints ?? NO_ENDPOINTS;
  const counts = toCounts(topology, selected);
  const verdict = judgeStatus({ topology, endpoints: endpoints.length, noneLeft: describe(counts), ...rest });
  return {
    isUsable: verdict.newCalls === "use",
    newCalls: verdict.newCalls,
    connections: verdict.connections,
    status: topology.status,
    isStale: topology.isStale,
    reason: verdict.reason,
    refusal: verdict.refusal,
    endpoints,
    counts,
    isPanicking: selected?.isPanicking ?? false,
  };
}

/** The last state, after its endpoints were closed. */
export function toClosedState(state: EndpointsState): EndpointsState {
  const message = "the endpoints were closed";
  return {
    ...state,
    isUsable: false,
    newCalls: "refuse",
    connections: "close",
    status: "stopped",
    reason: message,
    refusal: toReason(
      new ProvisioningError("LIFECYCLE_STOPPED", message, { details: { status: "stopped" } }),
    ),
  };
}

/** Compares everything but `reason`, `counts` and the texts of the refusal, which may change without a call of the listeners. */
export function isSameForCallers(a: EndpointsState, b: EndpointsState): boolean {
  return (
    a.endpoints === b.endpoints &&
    a.newCalls === b.newCalls &&
    a.connections === b.connections &&
    a.status === b.status &&
    a.isStale === b.isStale &&
    a.isPanicking === b.isPanicking &&
    a.refusal?.code === b.refusal?.code
  );
}

export function isSameState(a: EndpointsState, b: EndpointsState): boolean {
  return isSameForCallers(a, b) && a.reason === b.reason && isSameCounts(a.counts, b.counts);
}

function toCounts({ snapshot }: TopologyState, selected: Selected | undefined): EndpointCounts {
  const { nodes = [], blocked = 0, drained = 0, retained = 0, isUsingRetained } = selected?.candidates ?? {};
  return {
    members: snapshot?.members.size ?? 0,
    blocked,
    drained,
    retained: isUsingRetained === true ? 0 : retained,
    outsideSubset: nodes.length - (selected?.subset.length ?? 0),
    ejected: selected?.ejected ?? 0,
    otherZone: selected?.otherZone ?? 0,
    used: selected?.endpoints.length ?? 0,
  };
}

function isSameCounts(a: EndpointCounts, b: EndpointCounts): boolean {
  return COUNTS.every((name) => a[name] === b[name]);
}

const COUNTS = [
  "members",
  "blocked",
  "drained",
  "retained",
  "outsideSubset",
  "ejected",
  "otherZone",
  "used",
] as const satisfies readonly (keyof EndpointCounts)[];

function describe({ members, blocked, drained, retained, ejected }: EndpointCounts): string {
  const parts = Object.entries({ blocked, drained, retained, ejected })
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`);
  return `none of the ${members} members may be used (${parts.join(", ")})`;
}
