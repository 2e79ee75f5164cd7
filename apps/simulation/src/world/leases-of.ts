import type { RecordedLease, RecordedTick } from "@holdfast/conformance";

/** What Placement decides: a partition a free member, and nothing at all of three members. The same for the same tick. */
export function leasesOf({ snapshot }: RecordedTick): readonly RecordedLease[] | undefined {
  const { members, blockedNodes } = snapshot;
  if (members.size === 3) return undefined;
  const free = members.toArray().filter(({ id }) => !blockedNodes.includes(id));
  return free.map(({ id }, index) => ({ resource: `partition-${index}`, nodeId: id }));
}
