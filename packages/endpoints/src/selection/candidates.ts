import { includesSorted, type ClusterNode, type ProviderSnapshot } from "@holdfast/core";
import { weightOf } from "./weight-of.ts";

/** Members of a snapshot that new calls may use, as far as the snapshot alone decides. */
export interface Candidates {
  /** Sorted by id. */
  readonly nodes: readonly ClusterNode[];
  /** Members with the weight 0. */
  readonly drained: number;
  /** Blocked members that are not drained. */
  readonly blocked: number;
  /** Members that only a guard keeps. */
  readonly retained: number;
  /** Retained members are among the nodes, because too few others are left. */
  readonly isUsingRetained: boolean;
  /** The share of `nodes` in the members that are not drained, 0 to 1. */
  readonly share: number;
}

/** What the candidates depend on. */
export type MembershipView = Pick<ProviderSnapshot, "members" | "blockedNodes" | "retained">;

/**
 * Leaves out blocked members, members with the weight 0, and retained members. Retained members are used only if the
 * others are less than `panicShare` of the members that are not drained. Pure.
 */
export function selectCandidates(
  { members, blockedNodes, retained = [] }: MembershipView,
  panicShare: number,
): Candidates {
  const all = members.toArray();
  if (blockedNodes.length === 0 && retained.length === 0 && all.every(isWeighted)) {
    return { nodes: all, blocked: 0, drained: 0, retained: 0, isUsingRetained: false, share: 1 };
  }
  const listed: ClusterNode[] = [];
  const allowed: ClusterNode[] = [];
  let blocked = 0;
  let drained = 0;
  for (const node of all) {
    if (!isWeighted(node)) drained++;
    else if (includesSorted(blockedNodes, node.id)) blocked++;
    else {
      allowed.push(node);
      if (!includesSorted(retained, node.id)) listed.push(node);
    }
  }
  const total = allowed.length + blocked;
  const isUsingRetained = listed.length < allowed.length && listed.length < panicShare * total;
  const nodes = isUsingRetained ? allowed : listed;
  return {
    nodes,
    blocked,
    drained,
    retained: allowed.length - listed.length,
    isUsingRetained,
    share: total === 0 ? 1 : nodes.length / total,
  };
}

function isWeighted(node: ClusterNode): boolean {
  return weightOf(node) > 0;
}
