import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { refusalOf, type Clock, type LogPosition } from "@holdfast/core";
import type { HttpBindings } from "@hono/node-server";
import { sendEvents } from "./event-stream.ts";
import { NO_STORE, type HttpFailure } from "./http-failure.ts";
import type { LoopShare } from "./sending/loop-share.ts";
import { ResponseWriter } from "./sending/response-writer.ts";
import type { ServerView } from "./server-view.ts";
import type { TopologyDocuments } from "./topology-documents.ts";

export interface EventClientsOptions {
  readonly documents: TopologyDocuments;
  readonly clock: Clock;
  readonly maxClients: number;
  /** Maximum number of events that a client may be behind before it is disconnected. */
  readonly maxLag: number;
  readonly keepAliveMs: number;
  readonly writeDeadlineMs: number;
  readonly share: LoopShare;
}

interface EventClient {
  readonly view: ServerView;
  seqNo: number;
  readonly outgoing: ServerResponse;
}

export const EVENT_HEADERS: Readonly<Record<string, string>> = {
  ...NO_STORE,
  "content-type": "text/event-stream",
  "x-accel-buffering": "no",
};

/** The clients of `/events`. A client has no buffer: it reads the log at its own pace, up to a limit. */
export class EventClients implements Disposable {
  readonly #options: EventClientsOptions;
  readonly #clients = new Map<Socket, EventClient>();

  constructor(options: EventClientsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** True when the connection follows `/events`. */
  has(socket: Socket): boolean {
    return this.#clients.has(socket);
  }

  /** The reason why no further client is accepted; undefined when one can be. */
  refusal(view: ServerView): HttpFailure | undefined {
    const { maxClients } = this.#options;
    const { status } = view.log.state;
    const headers = { "retry-after": "5" };
    if (status === "draining" || status === "stopped") {
      const { code, message } = refusalOf(view.log.state)!;
      return { status: 503, code, message, headers };
    }
    if (this.#clients.size < maxClients) return undefined;
    const message = `${maxClients} clients are already connected`;
    return { status: 503, code: "HTTP_TOO_MANY_CLIENTS", message, headers };
  }

  /** Sends the log until it ends or the client leaves. Does not reject. */
  async serve(
    { incoming, outgoing }: HttpBindings,
    view: ServerView,
    from: LogPosition | undefined,
  ): Promise<void> {
    const { clock, documents, keepAliveMs, writeDeadlineMs, share } = this.#options;
    const stop = new AbortController();
    const client: EventClient = { view, seqNo: Infinity, outgoing };
    const { socket } = incoming;
    this.#clients.set(socket, client);
    const unsubscribe = view.log.onEvent(() => this.#disconnectIfSlow(client));
    outgoing.once("close", () => {
      unsubscribe();
      this.#clients.delete(socket);
      stop.abort();
    });
    const writer = new ResponseWriter(outgoing, { clock, deadlineMs: writeDeadlineMs, share });
    const onProgress = (seqNo: number) => void (client.seqNo = seqNo);
    const { signal } = stop;
    try {
      outgoing.writeHead(200, EVENT_HEADERS);
      await sendEvents({ view, documents, writer, from, clock, keepAliveMs, onProgress, signal });
      await writer.end();
    } catch {
      // The client sees an incomplete response, connects again and resumes.
      writer.disconnect();
    }
  }

  /** Disconnects all clients. */
  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client.outgoing.destroy();
  }

  /** Disconnects a client that is too far behind; it can resume from the last event it received. */
  #disconnectIfSlow({ view, seqNo, outgoing }: EventClient): void {
    if (view.log.state.seqNo - seqNo > this.#options.maxLag) outgoing.destroy();
  }
}
