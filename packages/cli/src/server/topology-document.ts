import type { RemoteNodeReport, TopologyState } from "@holdfast/core";
import { toSnapshotHead } from "../output/event-document.ts";
import { LongList, type JsonDocument } from "../output/json-pieces.ts";
import type { ServerView } from "./server-view.ts";

/**
 * Everything the log has led to, at one moment. The state is immutable, so the text may be made and sent in pieces while
 * the topology moves on.
 */
export function toTopologyDocument(view: ServerView, state: TopologyState): JsonDocument {
  const { epoch, seqNo, status, statusReason, statusCause, snapshot, restoringNodes, isStale, holds } = state;
  return {
    epoch,
    seqNo,
    status,
    reason: statusReason,
    cause: statusCause,
    isStale,
    ...(snapshot === undefined ? NO_SNAPSHOT : toSnapshotHead(snapshot)),
    restoringNodes,
    holds,
    providers: view.providers(),
    remoteNodes: new LongList(remoteNodesNotUp(view)),
    memberCount: snapshot?.members.size ?? 0,
    members: new LongList(snapshot?.members ?? []),
  };
}

const NO_SNAPSHOT = { providerId: null, hash: null, observedAt: null, blockedNodes: [] };

function* remoteNodesNotUp(view: ServerView): Generator<RemoteNodeReport, void> {
  for (const node of view.remoteNodes()) if (node.state !== "up") yield node;
}
