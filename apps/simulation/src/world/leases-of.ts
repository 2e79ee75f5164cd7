import type { Lease, SnapshotTick } from "@holdfast/core";

/** What Placement decides: a partition a free member, and nothing at all of three members. The same for the same tick. */
export function leasesOf({ snapshot }: SnapshotTick): readonly Lease[] | undefined {
  const { members, blockedNodes } = snapshot;
  if (members.size === 3) return undefined;
  const free = members.toArray().filter(({ id }) => !blockedNodes.includes(id));
  return free.map(({ id }, index) => ({ resource: `partition-${index}`, nodeId: id }));
}
