import {
  includesSorted,
  type ClusterNode,
  type NodeId,
  type Reason,
  type TopologyState,
} from "@holdfast/core";
import type { Endpoint } from "./endpoint.ts";
import type { EndpointsState } from "./endpoints-state.ts";
import type { EjectionPhase } from "./ejection/ejection-phase.ts";
import type { Selected } from "./selection/selector.ts";
import { weightOf } from "./selection/weight-of.ts";
import { zoneOf } from "./selection/zone-factors.ts";

/**
 * Why a client uses a node. `healthy`: nothing speaks against it. `slow_start`: it is new, and gets less than its share.
 * `probing`: it was ejected, and gets a few calls at a time. `retained_needed`: only a guard keeps it, and too few others
 * are left. `panic`: it is ejected, and too few others are left.
 *
 * Why it does not. `no_snapshot`: no snapshot has been received yet. `not_a_member`. `blocked`, `restoring`: blocked in
 * the topology, and maybe waiting for the next good refresh. `drained`: its weight is 0. `retained`: only a guard keeps it.
 * `outside_subset`: this client uses other members of a large set. `ejected`: it fails for this client. `other_zone`: the
 * members of closer zones suffice. `status`: the status of the topology does not allow new calls.
 */
export type EndpointRule =
  | "healthy"
  | "slow_start"
  | "probing"
  | "retained_needed"
  | "panic"
  | "no_snapshot"
  | "not_a_member"
  | "blocked"
  | "restoring"
  | "drained"
  | "retained"
  | "outside_subset"
  | "ejected"
  | "other_zone"
  | "status";

/** Whether a client uses a node, and why. */
export interface EndpointExplanation {
  readonly nodeId: NodeId;
  readonly isUsed: boolean;
  readonly rule: EndpointRule;
  /** Text for people; never empty. */
  readonly text: string;
  /** The node as a member. */
  readonly node?: ClusterNode | undefined;
  readonly endpoint?: Endpoint | undefined;
  /** The share of new calls that it gets, 0 to 1, if endpoints are picked by weight. */
  readonly share: number;
  /** The number of ejections that it has not yet made up for; absent without one. */
  readonly tries?: number | undefined;
  /** The time until an ejection ends, in milliseconds; absent if it is not ejected. */
  readonly returnsInMs?: number | undefined;
  /** Calls of this client that are not done. */
  readonly inFlight: number;
  /** Why no endpoint is usable at all, if that is so. */
  readonly refusal?: Reason | undefined;
}

export interface ExplainInput {
  readonly topology: TopologyState;
  readonly state: EndpointsState;
  /** Absent before the first snapshot. */
  readonly selected?: Selected | undefined;
  readonly zone?: string | undefined;
  readonly phase?: EjectionPhase | undefined;
  readonly inFlight: number;
  /** The share of its weight that the node has because it is new. */
  readonly ramp: number;
  /** Monotonic milliseconds. */
  readonly now: number;
}

interface Verdict {
  readonly isUsed: boolean;
  readonly rule: EndpointRule;
  readonly text: string;
}

/** Derives the explanation from the parts of the selection. Pure. */
export function explainEndpoint(nodeId: NodeId, input: ExplainInput): EndpointExplanation {
  const { topology, state, phase, inFlight, now } = input;
  const { endpoints, refusal } = state;
  const endpoint = endpoints.find(({ node }) => node.id === nodeId);
  const verdict = endpoint === undefined ? judgeUnused(nodeId, input) : judgeUsed(endpoint, input);
  const total = endpoints.reduce((sum, { weight }) => sum + weight, 0);
  return {
    nodeId,
    isUsed: verdict.isUsed,
    rule: verdict.rule,
    text: `"${nodeId}" is ${verdict.isUsed ? "" : "not "}used by this client: ${verdict.text}`,
    node: topology.snapshot?.members.get(nodeId),
    endpoint,
    share: verdict.isUsed ? endpoint!.weight / total : 0,
    tries: phase !== undefined && phase.tries > 0 ? phase.tries : undefined,
    returnsInMs: phase?.kind === "out" ? Math.max(0, phase.until - now) : undefined,
    inFlight,
    refusal,
  };
}

function judgeUsed({ standing }: Endpoint, { state, phase, ramp, now }: ExplainInput): Verdict {
  if (!state.isUsable) return unused("status", state.reason);
  if (standing === "ejected") {
    return used("panic", `${describePhase(phase, now)}, but used because too few others are left`);
  }
  if (standing === "probing") return used("probing", describePhase(phase, now));
  if (standing === "retained") {
    const text =
      "the active provider does not list it and a guard keeps it; used because too few others are left";
    return used("retained_needed", text);
  }
  if (ramp < 1) return used("slow_start", `it is new, and has ${toPercent(ramp)} of its weight`);
  return used("healthy", "it is a member, and no rule leaves it out");
}

function judgeUnused(nodeId: NodeId, input: ExplainInput): Verdict {
  const { topology, selected, zone, phase, now } = input;
  const { snapshot, restoringNodes, statusReason } = topology;
  if (snapshot === undefined || selected === undefined) {
    return unused("no_snapshot", `no snapshot has been received yet: ${statusReason}`);
  }
  const node = snapshot.members.get(nodeId);
  if (node === undefined) return unused("not_a_member", "it is not a member of the topology");
  if (weightOf(node) === 0) return unused("drained", "its weight is 0");
  if (includesSorted(snapshot.blockedNodes, nodeId)) {
    const isRestoring = restoringNodes.includes(nodeId);
    const what = isRestoring
      ? "it was blocked, and is restored at the next good refresh"
      : "it is blocked in the topology";
    const text = phase?.kind === "out" ? `${what}; ${describePhase(phase, now)}` : what;
    return unused(isRestoring ? "restoring" : "blocked", text);
  }
  if (!selected.candidates.isUsingRetained && includesSorted(snapshot.retained, nodeId)) {
    return unused("retained", "the active provider does not list it, and only a guard keeps it");
  }
  if (!selected.subset.some(({ id }) => id === nodeId)) {
    const text = `this client uses ${selected.subset.length} of ${selected.candidates.nodes.length} members, and it is not one of them`;
    return unused("outside_subset", text);
  }
  if (phase?.kind === "out") return unused("ejected", describePhase(phase, now));
  return unused("other_zone", describeZone(node, zone));
}

function describeZone(node: ClusterNode, zone: string | undefined): string {
  const where = zoneOf(node) === "" ? "it has no zone" : `it is in zone "${zoneOf(node)}"`;
  return `${where}, and the calls from zone "${zone}" go to other members`;
}

function describePhase(phase: EjectionPhase | undefined, now: number): string {
  if (phase?.kind === "out") {
    const { tries, cause, since, until } = phase;
    return `ejected ${toSeconds(now - since)} ago (number ${tries}) because ${cause.text}; probed in ${toSeconds(until - now)}`;
  }
  if (phase?.kind === "probing") {
    return `probed after ejection number ${phase.tries}, because ${phase.cause.text}; ${phase.successes} probes have succeeded`;
  }
  return "it is used";
}

function used(rule: EndpointRule, text: string): Verdict {
  return { isUsed: true, rule, text };
}

function unused(rule: EndpointRule, text: string): Verdict {
  return { isUsed: false, rule, text };
}

function toSeconds(ms: number): string {
  return `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;
}

function toPercent(share: number): string {
  return `${Math.round(share * 100)}%`;
}
