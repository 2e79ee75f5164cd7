import type { Lease, SnapshotTick } from "@holdfast/core";

/**
 * The decision of Placement: one partition per unblocked member, and no change for three members. Equal for equal
 * ticks.
 */
export function leasesOf({ snapshot }: SnapshotTick): readonly Lease[] | undefined {
  const { members, blockedNodes } = snapshot;
  if (members.size === 3) return undefined;
  const free = members.toArray().filter(({ id }) => !blockedNodes.includes(id));
  return free.map(({ id }, index) => ({ resource: `partition-${index}`, nodeId: id }));
}
