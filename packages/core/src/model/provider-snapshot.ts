import type { NodeId } from "./cluster-node.ts";
import { addSums, hashBlocked, toSnapshotHash, type SnapshotHash } from "./content-hash.ts";
import { diffMembers, type MemberDelta } from "./member-diff.ts";
import type { MemberSet } from "./member-set.ts";
import type { ProviderId } from "./provider-id.ts";

/** Entries of the backend's answer that could not be read and were left out. */
export interface SkippedEntries {
  readonly count: number;
  /** What was wrong with the first few, without their text. */
  readonly reasons: readonly string[];
}

/** The whole membership as one provider sees it. Immutable. */
export interface ProviderSnapshot {
  readonly providerId: ProviderId;
  readonly members: MemberSet;
  /** Of the content alone: members and blocked nodes. Equal content has an equal hash, whoever saw it. */
  readonly hash: SnapshotHash;
  /** Members that Remoting isolated; sorted. Providers leave it empty, the hub fills it in. */
  readonly blockedNodes: readonly NodeId[];
  /** The backend's own version, opaque. */
  readonly revision?: string | undefined;
  /** Wall-clock milliseconds at which the backend's answer was read. */
  readonly observedAt: number;
  /** How old the backend itself says its answer is, in milliseconds; absent when it can't tell. */
  readonly stalenessMs?: number | undefined;
  readonly skipped?: SkippedEntries | undefined;
  /** Members that are listed, but with descriptive fields (tags, metadata) cut because they exceed a limit. */
  readonly trimmed?: SkippedEntries | undefined;
  /** Members the provider does not list that a guard keeps; sorted, absent when there are none. Providers leave it out. */
  readonly retained?: readonly NodeId[] | undefined;
}

export interface SnapshotParts {
  readonly providerId: ProviderId;
  readonly members: MemberSet;
  readonly observedAt: number;
  /** @defaultValue [] */
  readonly blockedNodes?: readonly NodeId[] | undefined;
  readonly revision?: string | undefined;
  readonly stalenessMs?: number | undefined;
  readonly skipped?: SkippedEntries | undefined;
  readonly trimmed?: SkippedEntries | undefined;
  readonly retained?: readonly NodeId[] | undefined;
}

/** Makes a snapshot; the hash comes from the members' running sum, so it costs nothing per member. */
export function createSnapshot(parts: SnapshotParts): ProviderSnapshot {
  const { providerId, members, observedAt } = parts;
  const { revision, stalenessMs, skipped, trimmed, retained } = parts;
  const blockedNodes = [...new Set(parts.blockedNodes)].sort();
  const sum = blockedNodes.map(hashBlocked).reduce(addSums, members.sum);
  return {
    providerId,
    members,
    hash: toSnapshotHash(sum),
    blockedNodes,
    revision,
    observedAt,
    stalenessMs,
    skipped,
    trimmed,
    retained,
  };
}

/** What it takes to get from one snapshot to another; each list sorted by id. */
export interface SnapshotDelta extends MemberDelta {
  readonly blocked: readonly NodeId[];
  readonly unblocked: readonly NodeId[];
}

/** Compares by content; between versions that share structure the cost follows the difference (`diffMembers`). */
export function diffSnapshots(
  before: Pick<ProviderSnapshot, "members" | "blockedNodes">,
  after: Pick<ProviderSnapshot, "members" | "blockedNodes">,
): SnapshotDelta {
  const was = new Set(before.blockedNodes);
  const is = new Set(after.blockedNodes);
  return {
    ...diffMembers(before.members, after.members),
    blocked: after.blockedNodes.filter((id) => !was.has(id)),
    unblocked: before.blockedNodes.filter((id) => !is.has(id)),
  };
}
