import {
  followLog,
  isProvisioningError,
  type Clock,
  type LogPosition,
  type TopologyEvent,
} from "@holdfast/core";
import { toEventDocument } from "../output/event-document.ts";
import { inTurns } from "../output/in-turns.ts";
import { toJsonPieces, type JsonDocument } from "../output/json-pieces.ts";
import { formatPosition } from "./event-position.ts";
import type { ServerView } from "./server-view.ts";
import { toTopologyDocument } from "./topology-document.ts";

export interface EventStreamOptions {
  readonly view: ServerView;
  /** What the client has seen; a client that has seen nothing gets the state first. */
  readonly from: LogPosition | undefined;
  readonly clock: Clock;
  readonly keepAliveMs: number;
  /** Told what the client has been sent up to. */
  readonly onProgress: (seqNo: number) => void;
  readonly signal: AbortSignal;
}

/** How long a client is asked to wait before it connects again, in milliseconds. */
const RETRY_MS = 2_000;

/**
 * The log as Server-Sent Events (WHATWG HTML, 9.2). Where the log cannot be continued from what the client has seen, a
 * `state` event with the whole topology stands in for what is missing. Ends after the draining event.
 */
export async function* toEventStream(options: EventStreamOptions): AsyncGenerator<string, void> {
  const { view, clock, keepAliveMs, signal, onProgress } = options;
  yield `retry: ${RETRY_MS}\n\n`;
  let from = options.from;
  while (!signal.aborted) {
    if (from === undefined) {
      const { state } = view.log;
      from = { epoch: state.epoch, seqNo: state.seqNo };
      onProgress(from.seqNo);
      yield* toFrame("state", from, toTopologyDocument(view, state), clock);
    }
    try {
      for await (const event of followLog({ log: view.log, from, clock, idleMs: keepAliveMs, signal })) {
        if (event === "idle") {
          yield ": nothing new\n\n";
          continue;
        }
        from = { epoch: event.epoch, seqNo: event.seqNo };
        onProgress(from.seqNo);
        yield* toFrame(event.kind, from, toEventDocument(event), clock);
        if (isLast(event)) return;
      }
      // The log ends with its signal, or has already reported `stopped`.
      return;
    } catch (error) {
      if (!isProvisioningError(error) || error.code !== "STREAM_EXPIRED") throw error;
      from = undefined;
    }
  }
}

function toFrame(
  event: string,
  id: LogPosition,
  data: JsonDocument,
  clock: Clock,
): AsyncGenerator<string, void> {
  const head = `id: ${formatPosition(id)}\nevent: ${event}\ndata: `;
  return inTurns(chain(head, toJsonPieces(data)), "\n\n", clock);
}

/** The head goes out with the first piece: most frames are one write. */
function* chain(head: string, pieces: Iterable<string>): Generator<string, void> {
  let text = head;
  for (const piece of pieces) {
    yield text + piece;
    text = "";
  }
}

function isLast(event: TopologyEvent): boolean {
  return event.kind === "status_changed" && (event.to === "draining" || event.to === "stopped");
}
