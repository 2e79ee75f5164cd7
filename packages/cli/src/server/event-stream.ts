import type { Clock, LogPosition } from "@holdfast/core";
import { LogWaiter } from "./log-waiter.ts";
import type { ResponseWriter } from "./sending/response-writer.ts";
import { writePieces, writeText } from "./sending/write-pieces.ts";
import type { ServerView } from "./server-view.ts";
import { FRAME_END, toFrameHead, type TopologyDocuments } from "./topology-documents.ts";

export interface EventStreamOptions {
  readonly view: ServerView;
  readonly documents: TopologyDocuments;
  readonly writer: ResponseWriter;
  /** The last position that the client received. Undefined: the client gets the state first. */
  readonly from: LogPosition | undefined;
  readonly clock: Clock;
  readonly keepAliveMs: number;
  /** Called with the number of the event that is about to be sent. */
  readonly onProgress: (seqNo: number) => void;
  readonly signal: AbortSignal;
}

/** Time that a client should wait before it reconnects, in milliseconds. */
const RETRY_MS = 2_000;

/**
 * Sends the log as Server-Sent Events (WHATWG HTML, 9.2). If the log cannot be continued from the client's position, a
 * `state` event with the whole topology replaces the missing events. Resolves after the draining event, or when the
 * client has gone. Between two writes it holds no reference to an event or state, so a slow client keeps none in
 * memory.
 */
export async function sendEvents(options: EventStreamOptions): Promise<void> {
  const { view, documents, writer, clock, keepAliveMs, signal } = options;
  using waiter = new LogWaiter({ log: view.log, clock, idleMs: keepAliveMs, signal });
  let position = options.from;
  // A client that resumes cannot tell otherwise, before the next event, that it has received all that it had missed.
  let mustConfirm = position !== undefined;
  let isOpen = await writer.write(`retry: ${RETRY_MS}${FRAME_END}`);
  while (isOpen && !signal.aborted) {
    if (position === undefined) {
      position = await sendState(options);
      mustConfirm = false;
      isOpen = position !== undefined;
      continue;
    }
    if (mustConfirm && view.log.eventsSince(position.epoch, position.seqNo, 1)?.length === 0) {
      mustConfirm = false;
      isOpen = await writer.write(`: up to date${FRAME_END}`);
      continue;
    }
    const outcome = await waiter.wait(position);
    if (outcome === "aborted") return;
    if (outcome === "idle") {
      isOpen = await writer.write(`: nothing new${FRAME_END}`);
      continue;
    }
    using frame = await documents.eventAfter(view, position, () => writer.disconnect());
    position = frame?.position;
    if (frame === undefined) continue;
    options.onProgress(frame.position.seqNo);
    isOpen = await writePieces(writer, frame.pieces);
    if (frame.isLast) return;
  }
}

/** Returns `undefined` when the client has gone. */
async function sendState({
  view,
  documents,
  writer,
  clock,
  onProgress,
}: EventStreamOptions): Promise<LogPosition | undefined> {
  using document = await documents.topology(view, () => writer.disconnect());
  const { position } = document;
  onProgress(position.seqNo);
  const isOpen =
    (await writer.write(toFrameHead("state", position))) &&
    (await writeText(writer, document.head, clock)) &&
    (await writePieces(writer, document.rest)) &&
    (await writer.write(FRAME_END));
  return isOpen ? position : undefined;
}
