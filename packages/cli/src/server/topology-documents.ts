import type { Clock, LogPosition, ProviderSnapshot, RemoteNodeReport, TopologyState } from "@holdfast/core";
import { toEventDocument, toSnapshotHead } from "../output/event-document.ts";
import { LongList, toJsonPieces, type JsonDocument } from "../output/json-pieces.ts";
import { formatPosition } from "./event-position.ts";
import { SharedBytesPool, type BytesLease } from "./sending/shared-bytes-pool.ts";
import type { ServerView } from "./server-view.ts";
import { toEtag } from "./topology-etag.ts";

/**
 * The whole topology at one moment: a head that is created for each reader, and a rest that all readers of the snapshot
 * share.
 */
export interface TopologyDocument extends Disposable {
  readonly position: LogPosition;
  readonly etag: string;
  readonly head: Iterable<string>;
  readonly rest: readonly Uint8Array[];
}

export interface EventFrame extends Disposable {
  readonly position: LogPosition;
  readonly isLast: boolean;
  readonly pieces: readonly Uint8Array[];
}

export interface TopologyDocumentsOptions {
  readonly clock: Clock;
  /** Maximum size of all documents in memory, in bytes. */
  readonly maxBytes: number;
}

/** The large texts that readers request. Each is encoded once, in slices, and shared: see `SharedBytesPool`. */
export class TopologyDocuments {
  readonly #pool: SharedBytesPool;

  constructor({ clock, maxBytes }: TopologyDocumentsOptions) {
    this.#pool = new SharedBytesPool({ clock, maxBytes });
  }

  /** Current size of all documents in memory, in bytes. */
  get bytes(): number {
    return this.#pool.bytes;
  }

  /** Returns the newest state. `onEvicted` is called when the reader is too slow to keep it. */
  async topology(view: ServerView, onEvicted: () => void): Promise<TopologyDocument> {
    let state = view.log.state;
    const find = () => {
      ({ state } = view.log);
      const { snapshot } = state;
      return { key: snapshot ?? NO_SNAPSHOT, toPieces: () => toRestPieces(snapshot) };
    };
    const lease = (await this.#pool.lease(find, onEvicted))!;
    return toTopologyDocument(view, state, lease);
  }

  /**
   * Returns the event after a position as one frame of Server-Sent Events, or `undefined` when the log no longer holds
   * it.
   */
  async eventAfter(
    { log }: ServerView,
    { epoch, seqNo }: LogPosition,
    onEvicted: () => void,
  ): Promise<EventFrame | undefined> {
    let position: LogPosition = { epoch, seqNo };
    let isLast = false;
    const find = () => {
      const event = log.eventsSince(epoch, seqNo, 1)?.[0];
      if (event === undefined) return undefined;
      const { kind } = event;
      position = { epoch, seqNo: event.seqNo };
      isLast = kind === "status_changed" && (event.to === "draining" || event.to === "stopped");
      const head = toFrameHead(kind, position);
      return { key: event, toPieces: () => toFramePieces(head, toJsonPieces(toEventDocument(event))) };
    };
    const lease = await this.#pool.lease(find, onEvicted);
    return (
      lease && { position, isLast, pieces: lease.pieces, [Symbol.dispose]: () => lease[Symbol.dispose]() }
    );
  }
}

/** Returns the first lines of a frame of Server-Sent Events (WHATWG HTML, 9.2). */
export function toFrameHead(event: string, id: LogPosition): string {
  return `id: ${formatPosition(id)}\nevent: ${event}\ndata: `;
}

export const FRAME_END = "\n\n";

function* toFramePieces(head: string, pieces: Iterable<string>): Generator<string, void> {
  let held = head;
  for (const piece of pieces) {
    if (held !== head) yield held;
    held = held === head ? head + piece : piece;
  }
  yield held + FRAME_END;
}

/** A separate function, so that the closures of the document capture the state of this moment and not a later one. */
function toTopologyDocument(view: ServerView, state: TopologyState, lease: BytesLease): TopologyDocument {
  const { epoch, seqNo, status, statusReason, statusCause, restoringNodes, isStale, holds } = state;
  const fields = {
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
  };
  return {
    position: { epoch, seqNo },
    etag: toEtag(view, state),
    head: toHeadPieces(fields),
    rest: lease.pieces,
    [Symbol.dispose]: () => lease[Symbol.dispose](),
  };
}

/** Yields the JSON text of an object without its closing bracket, because further fields follow. */
function* toHeadPieces(fields: JsonDocument): Generator<string, void> {
  let held = "";
  for (const piece of toJsonPieces(fields)) {
    if (held !== "") yield held;
    held = piece;
  }
  yield `${held.slice(0, -1)},`;
}

/** Yields the fields of the snapshot, without the opening bracket of an object. */
function* toRestPieces(snapshot: ProviderSnapshot | undefined): Generator<string, void> {
  const head = snapshot === undefined ? NO_SNAPSHOT : toSnapshotHead(snapshot);
  const memberCount = snapshot?.members.size ?? 0;
  const members = new LongList(snapshot?.members ?? []);
  let isFirst = true;
  for (const piece of toJsonPieces({ ...head, memberCount, members })) {
    yield isFirst ? piece.slice(1) : piece;
    isFirst = false;
  }
}

const NO_SNAPSHOT = { providerId: null, hash: null, observedAt: null, blockedNodes: [] };

function* remoteNodesNotUp(view: ServerView): Generator<RemoteNodeReport, void> {
  for (const node of view.remoteNodes()) if (node.state !== "up") yield node;
}
