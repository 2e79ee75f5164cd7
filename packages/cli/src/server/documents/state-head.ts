import type { RemoteNodeReport, TopologyState } from "@holdfast/core";
import { toSnapshotHead } from "../../output/event-document.ts";
import { LongList, toJsonPieces, type JsonDocument } from "../../output/json-pieces.ts";
import type { ServerView } from "../server-view.ts";

const NO_SNAPSHOT = { providerId: null, hash: null, observedAt: null, blockedNodes: [] };

/**
 * Yields all fields of the state but the members, as the JSON text of an object without its closing bracket. `instance` is the id of this
 * daemon.
 */
export function* toStateHead(
  view: ServerView,
  instance: string,
  state: TopologyState,
): Generator<string, void> {
  let held: string | undefined;
  for (const piece of toJsonPieces(toHeadDocument(view, instance, state))) {
    if (held !== undefined) yield held;
    held = piece;
  }
  if (held !== undefined) yield held.slice(0, -1);
}

function toHeadDocument(view: ServerView, instance: string, state: TopologyState): JsonDocument {
  const { epoch, seqNo, status, statusReason, statusCause, restoringNodes, isStale, holds, snapshot } = state;
  return {
    instance,
    epoch,
    seqNo,
    status,
    reason: statusReason,
    cause: statusCause,
    isStale,
    restoringNodes,
    holds,
    providers: view.providers(),
    remoteNodes: new LongList(remoteNodesNotUp(view)),
    ...(snapshot === undefined ? NO_SNAPSHOT : toSnapshotHead(snapshot)),
    memberCount: snapshot?.members.size ?? 0,
  };
}

function* remoteNodesNotUp(view: ServerView): Generator<RemoteNodeReport, void> {
  for (const node of view.remoteNodes()) if (node.state !== "up") yield node;
}
