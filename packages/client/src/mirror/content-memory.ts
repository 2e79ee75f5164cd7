import type { MemberSet, ProviderSnapshot, SnapshotHash } from "@holdfast/core";

/** Members, and the hash of the content that they were part of. */
export interface KnownContent {
  readonly hash: SnapshotHash;
  readonly members: MemberSet;
}

/**
 * The last content of one topology that was verified, from whichever daemon. It is named to a daemon in a request, which then need not
 * send members that are known already.
 */
export class ContentMemory {
  newest: KnownContent | undefined;
  /** The last known good snapshot of an earlier run. */
  restored: ProviderSnapshot | undefined;
}
