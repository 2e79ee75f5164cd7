import { includesSorted, type ClusterNode, type NodeId } from "@holdfast/core";
import type { Endpoint, EndpointStanding } from "../endpoint.ts";
import type { Candidates } from "./candidates.ts";
import { weightOf } from "./weight-of.ts";
import { toZoneFactors, zoneOf, type ZoneView } from "./zone-factors.ts";

export interface SelectionInput {
  readonly candidates: Candidates;
  /** The part of the candidates that this client works with; sorted by id. */
  readonly subset: readonly ClusterNode[];
  /** Members that only a guard keeps; sorted. */
  readonly retained: readonly NodeId[];
  /** Members that fail for this client. */
  readonly outs: ReadonlyMap<NodeId, "ejected" | "probing">;
  /** All are used when fewer than this share of the members are healthy. */
  readonly panicShare: number;
  readonly zone?: ZoneView | undefined;
  /** The share of its weight that a member has because it is new, in (0, 1]. @defaultValue 1 for all */
  readonly rampOf?: ((id: NodeId) => number) | undefined;
  /** The endpoints of the last selection, which are kept if they did not change. */
  readonly previous: readonly Endpoint[];
}

export interface Selection {
  /** Sorted by id. The array `previous` if nothing changed. */
  readonly endpoints: readonly Endpoint[];
  readonly isPanicking: boolean;
  /** Members of the subset that are not used because they are ejected. */
  readonly ejected: number;
  /** Members of the subset that are not used because of their zone. */
  readonly otherZone: number;
}

/** The steps after the subset: ejection with its panic threshold, zones, and weights. Pure. */
export function selectEndpoints(input: SelectionInput): Selection {
  const { candidates, subset, outs, panicShare, zone } = input;
  const healthy = outs.size === 0 ? subset : subset.filter(({ id }) => outs.get(id) !== "ejected");
  const healthyShare = subset.length === 0 ? 1 : (candidates.share * healthy.length) / subset.length;
  const isPanicking = healthy.length < subset.length && healthyShare < panicShare;
  const inUse = isPanicking ? subset : healthy;
  const factors = zone && toZoneFactors({ zone, candidates: candidates.nodes, subset, inUse });
  const nodes = factors === undefined ? inUse : inUse.filter((node) => factors.has(zoneOf(node)));
  return {
    endpoints: toEndpoints(nodes, factors, input),
    isPanicking,
    ejected: subset.length - inUse.length,
    otherZone: inUse.length - nodes.length,
  };
}

function toEndpoints(
  nodes: readonly ClusterNode[],
  factors: ReadonlyMap<string, number> | undefined,
  { candidates, retained, outs, zone, rampOf, previous }: SelectionInput,
): readonly Endpoint[] {
  const endpoints: Endpoint[] = [];
  let isChanged = nodes.length !== previous.length;
  let p = 0;
  for (const node of nodes) {
    const factor = factors?.get(zoneOf(node)) ?? 1;
    const weight = weightOf(node) * factor * (rampOf?.(node.id) ?? 1);
    const isLocal = zone === undefined || zoneOf(node) === zone.own;
    const isRetained = candidates.isUsingRetained && includesSorted(retained, node.id);
    const standing: EndpointStanding = outs.get(node.id) ?? (isRetained ? "retained" : "healthy");
    while (p < previous.length && previous[p]!.node.id < node.id) p++;
    const before = previous[p];
    if (
      before?.node === node &&
      before.weight === weight &&
      before.isLocal === isLocal &&
      before.standing === standing
    ) {
      endpoints.push(before);
    } else {
      isChanged = true;
      endpoints.push({ node, weight, isLocal, standing });
    }
  }
  return isChanged ? endpoints : previous;
}
