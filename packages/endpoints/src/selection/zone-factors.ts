import type { ClusterNode } from "@holdfast/core";
import { weightOf } from "./weight-of.ts";
import { NO_ZONE, shareZones } from "./zone-shares.ts";

/** A client's zone, and where the other callers are. */
export interface ZoneView {
  readonly own: string;
  /** The number of callers in each zone. @defaultValue the same in each zone */
  readonly callers?: ReadonlyMap<string, number> | undefined;
}

export interface ZoneFactorsInput {
  readonly zone: ZoneView;
  /** All members that may be called. */
  readonly candidates: readonly ClusterNode[];
  /** The part of the candidates that this client works with. */
  readonly subset: readonly ClusterNode[];
  /** The part of the subset that is not ejected. */
  readonly inUse: readonly ClusterNode[];
}

/** Steps between a factor and its double: a step of about 4%, so that small changes do not change all weights. */
const STEPS = 16;

/**
 * The factor for the weights of the nodes of each zone, with which the zones get their shares of the calls
 * (`shareZones`). A zone that is absent gets no calls. Ejected nodes reduce the capacity of their zone: the part of it
 * that is ejected in the subset counts as ejected in the whole zone. Rounded to steps of about 4%. Pure.
 */
export function toZoneFactors({
  zone: { own, callers },
  candidates,
  subset,
  inUse,
}: ZoneFactorsInput): ReadonlyMap<string, number> {
  const weights = sumByZone(inUse);
  const subsetWeights = inUse === subset ? weights : sumByZone(subset);
  const capacities = new Map<string, number>();
  for (const [zone, capacity] of subset === candidates ? subsetWeights : sumByZone(candidates)) {
    const known = subsetWeights.get(zone) ?? 0;
    capacities.set(zone, known === 0 ? 0 : (capacity * (weights.get(zone) ?? 0)) / known);
  }
  const perWeight = new Map<string, number>();
  for (const [zone, share] of shareZones({ own, capacities, callers })) {
    const weight = weights.get(zone) ?? 0;
    if (weight > 0) perWeight.set(zone, share / weight);
  }
  // The client's own zone has the factor 1, so that the weights of local nodes do not depend on other zones.
  const unit = perWeight.get(own) ?? Math.max(...perWeight.values());
  return new Map([...perWeight].map(([zone, value]) => [zone, roundToStep(value / unit)]));
}

export function zoneOf({ zone = NO_ZONE }: ClusterNode): string {
  return zone;
}

function sumByZone(nodes: readonly ClusterNode[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const node of nodes) {
    const zone = zoneOf(node);
    sums.set(zone, (sums.get(zone) ?? 0) + weightOf(node));
  }
  return sums;
}

function roundToStep(factor: number): number {
  return 2 ** (Math.round(Math.log2(factor) * STEPS) / STEPS);
}
