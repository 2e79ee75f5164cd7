import { createHash } from "node:crypto";
import type { TopologyState } from "@holdfast/core";
import type { ServerView } from "../server-view.ts";

/**
 * Identifies the position in the log and the health of the providers. The tag is weak: the time of a provider's last
 * event may differ between responses with the same tag.
 */
export function toEtag(view: ServerView, state: TopologyState): string {
  const providers = view.providers().map((provider) => ({ ...provider, lastUpdateAt: 0, confirmedAt: 0 }));
  const digest = createHash("sha256")
    .update(
      JSON.stringify([providers, state.restoringNodes, state.snapshot?.retained?.length, state.statusReason]),
    )
    .digest("base64url");
  return `W/"${state.epoch}:${state.seqNo}:${digest.slice(0, 12)}"`;
}

/** True when an `If-None-Match` header contains the tag (weak comparison, RFC 9110, 8.8.3.2). */
export function isListed(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === "*" || ifNoneMatch.split(",").some((tag) => toOpaque(tag) === toOpaque(etag));
}

function toOpaque(tag: string): string {
  return tag.trim().replace(/^W\//, "");
}
