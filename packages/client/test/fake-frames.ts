import type { LogPosition, TopologyEvent, TopologyName, TopologyState } from "@holdfast/core";

/**
 * The frames that a daemon sends, as the README of the command documents them. With a name they are those of a stream of several
 * topologies.
 */
export function toFrame(event: string, position: LogPosition, document: object, name?: TopologyName): string {
  const { epoch, seqNo } = position;
  const id = name === undefined ? `${epoch}:${seqNo}` : `${name}@${epoch}/${seqNo}`;
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(document)}\n\n`;
}

export function toViaFrame(via: readonly string[], topology?: TopologyName): string {
  return `event: via\ndata: ${JSON.stringify(topology === undefined ? via : { topology, via })}\n\n`;
}

export function toGoneFrame(topology: TopologyName): string {
  return `event: gone\ndata: ${JSON.stringify({ topology })}\n\n`;
}

export function toEventFrame(event: TopologyEvent, name?: TopologyName): string {
  return toFrame(event.kind, event, toDocument(event), name);
}

export interface StateFrameOptions {
  readonly name?: TopologyName | undefined;
  /** The members are left out when the content has this hash. */
  readonly have?: string | undefined;
}

export function toStateFrame(state: TopologyState, { name, have }: StateFrameOptions = {}): string {
  const { epoch, seqNo, status, statusReason, statusCause, isStale, snapshot } = state;
  const { providerId = null, hash = null, observedAt = null } = snapshot ?? {};
  const { blockedNodes = [], retained, members = [] } = snapshot ?? {};
  const memberCount = snapshot?.members.size ?? 0;
  const head = { epoch, seqNo, status, reason: statusReason, cause: statusCause, isStale };
  const content = { ...head, providerId, hash, observedAt, blockedNodes, retained, memberCount };
  const isKnown = hash !== null && hash === have;
  return toFrame("state", state, isKnown ? content : { ...content, members: [...members] }, name);
}

function toDocument(event: TopologyEvent): object {
  if (event.kind !== "snapshot") return event;
  const { kind, epoch, seqNo, at, previousHash = null, snapshot, delta } = event;
  const { providerId, hash, observedAt, blockedNodes, retained, members } = snapshot;
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
    observedAt,
    blockedNodes,
    retained,
    memberCount: members.size,
    delta: { added, updated, removed, blocked, unblocked },
  };
}
