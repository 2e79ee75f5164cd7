import type { ProviderSnapshot, SnapshotEvent, TopologyEvent } from "@holdfast/core";
import { LongList, type JsonDocument } from "./json-pieces.ts";

/**
 * Formats an event as JSON, for `/events` and standard output. A snapshot contains only the change: a reader applies
 * the delta to the previous state, and can check the result with `memberCount` and `hash`.
 */
export function toEventDocument(event: TopologyEvent): JsonDocument {
  if (event.kind !== "snapshot") return toFlatDocument(event);
  const { kind, epoch, seqNo, at } = event;
  const { snapshot, previousHash, delta } = event;
  return {
    kind,
    epoch,
    seqNo,
    at,
    previousHash: previousHash ?? null,
    ...toSnapshotHead(snapshot),
    memberCount: snapshot.members.size,
    delta: {
      added: new LongList(delta.added),
      updated: new LongList(delta.updated.values().map((update) => update.after)),
      removed: new LongList(delta.removed.values().map((node) => node.id)),
      blocked: delta.blocked,
      unblocked: delta.unblocked,
    },
  };
}

function toFlatDocument({
  kind,
  epoch,
  seqNo,
  at,
  ...rest
}: Exclude<TopologyEvent, SnapshotEvent>): JsonDocument {
  return { kind, epoch, seqNo, at, ...rest };
}

/** All fields of a snapshot except its members. */
export function toSnapshotHead(snapshot: ProviderSnapshot): JsonDocument {
  const { providerId, hash, observedAt, revision, stalenessMs, skipped, blockedNodes, retained } = snapshot;
  return {
    providerId,
    hash,
    observedAt,
    revision,
    stalenessMs,
    skipped,
    blockedNodes,
    retained: retained && new LongList(retained),
  };
}
