import type { NodeId } from "./cluster-node.ts";
import { addSums, hashBlocked, toSnapshotHash, type SnapshotHash } from "./content-hash.ts";
import { diffMembers, type MemberDelta } from "./member-diff.ts";
import type { MemberSet } from "./member-set.ts";
import type { ProviderId } from "./provider-id.ts";

/** Entries of the backend's response that could not be read and were left out. */
export interface SkippedEntries {
  readonly count: number;
  /** The problems of the first few, without quoting them. */
  readonly reasons: readonly string[];
}

/** The whole membership as reported by one provider. Immutable. */
export interface ProviderSnapshot {
  readonly providerId: ProviderId;
  readonly members: MemberSet;
  /**
   * Hash of the content: members and blocked nodes. Equal content has an equal hash, whichever provider reported it.
   */
  readonly hash: SnapshotHash;
  /** Members that Remoting isolated; sorted. The hub adds its own. Providers leave it empty, except those that relay a topology. */
  readonly blockedNodes: readonly NodeId[];
  /** The backend's own version of the content, opaque. */
  readonly revision?: string | undefined;
  /** Wall-clock milliseconds at which the backend's response was read. */
  readonly observedAt: number;
  /** Age of the response according to the backend, in milliseconds; absent when the backend does not report it. */
  readonly stalenessMs?: number | undefined;
  readonly skipped?: SkippedEntries | undefined;
  /** Members that are included, but with descriptive fields (tags, metadata) cut because they exceed a limit. */
  readonly trimmed?: SkippedEntries | undefined;
  /**
   * Members that are kept by a guard although the provider does not list them; sorted, absent when there are none.
   * Providers leave it out.
   */
  readonly retained?: readonly NodeId[] | undefined;
  /**
   * The instances of the daemons that the content came through, the nearest first; absent when the provider reads the backend itself.
   * It shows when daemons follow each other in a circle.
   */
  readonly via?: readonly string[] | undefined;
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
  readonly via?: readonly string[] | undefined;
}

/**
 * Creates a snapshot. The hash is computed from the members' running sum, so its cost does not depend on the number of
 * members.
 */
export function createSnapshot(parts: SnapshotParts): ProviderSnapshot {
  const { providerId, members, observedAt } = parts;
  const { revision, stalenessMs, skipped, trimmed, retained, via } = parts;
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
    via,
  };
}

/** The difference between two snapshots; each list is sorted by id. */
export interface SnapshotDelta extends MemberDelta {
  readonly blocked: readonly NodeId[];
  readonly unblocked: readonly NodeId[];
}

/** Compares by content. Between versions that share structure the cost depends on the difference (`diffMembers`). */
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
