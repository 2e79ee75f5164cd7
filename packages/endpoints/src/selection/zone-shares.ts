/** The zone of members without one. */
export const NO_ZONE = "";

export interface ZoneInput {
  /** The client's zone. */
  readonly own: string;
  /** The capacity of each zone in any unit, such as the sum of the weights of its healthy members. */
  readonly capacities: ReadonlyMap<string, number>;
  /** The callers in each zone in any unit. @defaultValue the same number in each zone with members and in the client's */
  readonly callers?: ReadonlyMap<string, number> | undefined;
}

/**
 * The share of this client's calls that each zone gets; they add up to 1. Pure.
 *
 * With `c` the zone's share of the whole capacity and `q` its share of all callers: if `c >= q`, the callers of the zone
 * fit into it, and every call stays in the zone. Otherwise `c / q` of the calls stay, so that the zone is used to its
 * capacity, and the rest goes to the zones with more capacity than callers, in proportion to their surplus `c - q`. If
 * every client does that, each member gets the same load per capacity.
 */
export function shareZones({ own, capacities, callers }: ZoneInput): ReadonlyMap<string, number> {
  const capacity = sumOf(capacities);
  if (capacity <= 0) return new Map();
  const capacityOf = (zone: string) => (capacities.get(zone) ?? 0) / capacity;
  const callersOf = callerShares(own, capacities, callers);
  const c = capacityOf(own);
  const q = callersOf(own);
  // The tolerance is for sums that should be equal and differ by rounding.
  if (c >= q - 1e-12) return new Map([[own, 1]]);
  const stays = c / q;
  const surpluses = new Map<string, number>();
  for (const zone of capacities.keys()) {
    const surplus = capacityOf(zone) - callersOf(zone);
    if (zone !== own && surplus > 0) surpluses.set(zone, surplus);
  }
  const surplus = sumOf(surpluses);
  const shares = new Map<string, number>();
  if (stays > 0) shares.set(own, stays);
  for (const [zone, part] of surpluses) shares.set(zone, ((1 - stays) * part) / surplus);
  return shares;
}

function callerShares(
  own: string,
  capacities: ReadonlyMap<string, number>,
  callers: ReadonlyMap<string, number> | undefined,
): (zone: string) => number {
  const total = callers === undefined ? 0 : sumOf(callers);
  // Without a known caller in its own zone the client itself is missing from the numbers, so they cannot be right.
  if (callers !== undefined && (callers.get(own) ?? 0) > 0) return (zone) => (callers.get(zone) ?? 0) / total;
  const zones = new Set([...capacities.keys(), own]);
  zones.delete(NO_ZONE);
  return (zone) => (zones.has(zone) ? 1 / zones.size : 0);
}

function sumOf(values: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const value of values.values()) sum += value;
  return sum;
}
