import { createSnapshot, ProvisioningError, type MemberSet, type NodeId } from "@holdfast/core";
import type { ContentHead } from "../connection/daemon-message.ts";

/** The content of a daemon's topology. */
export interface Content extends ContentHead {
  readonly members: MemberSet;
  readonly blockedNodes: readonly NodeId[];
}

/** Returns the content if it has the number of members and the hash that the daemon names. Throws `STREAM_INVALID_DATA`. */
export function verified(content: Content): Content {
  const { members, blockedNodes, memberCount, hash, providerId } = content;
  if (members.size !== memberCount) {
    throw invalid(`the daemon names ${memberCount} members, its events lead to ${members.size}`);
  }
  if (createSnapshot({ providerId, members, blockedNodes, observedAt: 0 }).hash !== hash) {
    throw invalid("the content does not have the hash that the daemon names");
  }
  return content;
}

export function invalid(message: string): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", message);
}
