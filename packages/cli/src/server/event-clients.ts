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
  readonly view: ServerView;
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
  readonly #unsubscribe: () => void;

  constructor(options: EventClientsOptions) {
    this.#options = options;
    this.#unsubscribe = options.view.log.onEvent(() => this.#disconnectSlow());
  }

  get size(): number {
    return this.#clients.size;
  }

  /** True when the connection follows `/events`. */
  has(socket: Socket): boolean {
    return this.#clients.has(socket);
  }

  /** The reason why no further client is accepted; undefined when one can be. */
  refusal(): HttpFailure | undefined {
    const { view, maxClients } = this.#options;
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
  async serve({ incoming, outgoing }: HttpBindings, from: LogPosition | undefined): Promise<void> {
    const { view, clock, documents, keepAliveMs, writeDeadlineMs, share } = this.#options;
    const stop = new AbortController();
    const client: EventClient = { seqNo: Infinity, outgoing };
    const { socket } = incoming;
    this.#clients.set(socket, client);
    outgoing.once("close", () => {
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
    this.#unsubscribe();
    for (const client of this.#clients.values()) client.outgoing.destroy();
  }

  /** Disconnects clients that are too far behind; they can resume from the last event they received. */
  #disconnectSlow(): void {
    const { view, maxLag } = this.#options;
    const { seqNo } = view.log.state;
    for (const client of this.#clients.values()) if (seqNo - client.seqNo > maxLag) client.outgoing.destroy();
  }
}
