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
  /** What the client has seen; a client that has seen nothing gets the state first. */
  readonly from: LogPosition | undefined;
  readonly clock: Clock;
  readonly keepAliveMs: number;
  /** Called with what is about to be sent. */
  readonly onProgress: (seqNo: number) => void;
  readonly signal: AbortSignal;
}

/** How long a client is asked to wait before it connects again, in milliseconds. */
const RETRY_MS = 2_000;

/**
 * Sends the log as Server-Sent Events (WHATWG HTML, 9.2). Where the log cannot be continued from what the client has seen, a
 * `state` event with the whole topology takes the place of what is missing. Resolves after the draining event, or when the
 * client has gone. Between two writes it refers to no event and no state, so a slow client keeps none alive.
 */
export async function sendEvents(options: EventStreamOptions): Promise<void> {
  const { view, documents, writer, clock, keepAliveMs, signal } = options;
  using waiter = new LogWaiter({ log: view.log, clock, idleMs: keepAliveMs, signal });
  let position = options.from;
  let isOpen = await writer.write(`retry: ${RETRY_MS}${FRAME_END}`);
  while (isOpen && !signal.aborted) {
    if (position === undefined) {
      position = await sendState(options);
      isOpen = position !== undefined;
      continue;
    }
    const outcome = await waiter.wait(position);
    if (outcome === "aborted") return;
    if (outcome === "idle") {
      isOpen = await writer.write(`: nothing new${FRAME_END}`);
      continue;
    }
    using frame = await documents.eventAfter(position, () => writer.disconnect());
    position = frame?.position;
    if (frame === undefined) continue;
    options.onProgress(frame.position.seqNo);
    isOpen = await writePieces(writer, frame.pieces);
    if (frame.isLast) return;
  }
}

/** Undefined when the client has gone. */
async function sendState({
  documents,
  writer,
  clock,
  onProgress,
}: EventStreamOptions): Promise<LogPosition | undefined> {
  using document = await documents.topology(() => writer.disconnect());
  const { position } = document;
  onProgress(position.seqNo);
  const isOpen =
    (await writer.write(toFrameHead("state", position))) &&
    (await writeText(writer, document.head, clock)) &&
    (await writePieces(writer, document.rest)) &&
    (await writer.write(FRAME_END));
  return isOpen ? position : undefined;
}
