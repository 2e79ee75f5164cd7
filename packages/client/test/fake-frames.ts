import type { LogPosition, TopologyEvent } from "@holdfast/core";
import type { WatchHub } from "@holdfast/hub";

/** The frames that a daemon sends, as the README of the command documents them. */
export function toFrame(event: string, { epoch, seqNo }: LogPosition, document: object): string {
  return `id: ${epoch}:${seqNo}\nevent: ${event}\ndata: ${JSON.stringify(document)}\n\n`;
}

export function toViaFrame(instances: readonly string[]): string {
  return `event: via\ndata: ${JSON.stringify(instances)}\n\n`;
}

export function toEventFrame(event: TopologyEvent): string {
  return toFrame(event.kind, event, toDocument(event));
}

/** Leaves the members out when the content has the hash that the client has. */
export function toStateFrame(hub: WatchHub, have: string | null): string {
  const { epoch, seqNo, status, statusReason, statusCause, isStale, snapshot } = hub.state;
  const { providerId = null, hash = null, blockedNodes = [], retained, members = [] } = snapshot ?? {};
  const memberCount = snapshot?.members.size ?? 0;
  const head = { epoch, seqNo, status, reason: statusReason, cause: statusCause, isStale };
  const content = { ...head, providerId, hash, blockedNodes, retained, memberCount };
  const isKnown = hash !== null && hash === have;
  return toFrame("state", hub.state, isKnown ? content : { ...content, members: [...members] });
}

function toDocument(event: TopologyEvent): object {
  if (event.kind !== "snapshot") return event;
  const { kind, epoch, seqNo, at, previousHash = null, snapshot, delta } = event;
  const { providerId, hash, blockedNodes, retained, members } = snapshot;
  const { added, blocked, unblocked } = delta;
  const updated = delta.updated.map(({ after }) => after);
  const removed = delta.removed.map(({ id }) => id);
  return {
    kind,
    epoch,
    seqNo,
    at,
    previousHash,
    providerId,
    hash,
    blockedNodes,
    retained,
    memberCount: members.size,
    delta: { added, updated, removed, blocked, unblocked },
  };
}
