import type { ServerResponse } from "node:http";
import { refusalOf, type Clock, type LogPosition } from "@holdfast/core";
import { toEventStream } from "./event-stream.ts";
import { NO_STORE, toFailureResponse } from "./http-failure.ts";
import { toBody } from "./piece-stream.ts";
import type { ServerView } from "./server-view.ts";

export interface EventClientsOptions {
  readonly view: ServerView;
  readonly clock: Clock;
  readonly maxClients: number;
  /** How many events a client may be behind before it is disconnected. */
  readonly maxLag: number;
  readonly keepAliveMs: number;
}

export interface EventRequest {
  readonly from: LogPosition | undefined;
  /** Wants the headers alone. */
  readonly isHead: boolean;
  readonly outgoing: ServerResponse;
}

interface EventClient {
  seqNo: number;
  readonly disconnect: () => void;
}

/** Those who listen on `/events`. A client holds no buffer of its own: it reads the log at its own pace, to a limit. */
export class EventClients implements Disposable {
  readonly #options: EventClientsOptions;
  readonly #clients = new Set<EventClient>();
  readonly #unsubscribe: () => void;

  constructor(options: EventClientsOptions) {
    this.#options = options;
    this.#unsubscribe = options.view.log.onEvent(() => this.#dropLaggards());
  }

  get size(): number {
    return this.#clients.size;
  }

  connect(request: EventRequest): Response {
    const { view, clock, maxClients, keepAliveMs } = this.#options;
    const { status } = view.log.state;
    if (status === "draining" || status === "stopped") {
      const { code, message } = refusalOf(view.log.state)!;
      return toFailureResponse({ status: 503, code, message, headers: { "retry-after": "5" } });
    }
    if (this.#clients.size >= maxClients) {
      const message = `${maxClients} clients are connected already`;
      const headers = { "retry-after": "5" };
      return toFailureResponse({ status: 503, code: "HTTP_TOO_MANY_CLIENTS", message, headers });
    }
    const headers = { ...NO_STORE, "content-type": "text/event-stream", "x-accel-buffering": "no" };
    if (request.isHead) return new Response(null, { headers });

    const stop = new AbortController();
    const client: EventClient = { seqNo: Infinity, disconnect: () => request.outgoing.destroy() };
    this.#clients.add(client);
    const frames = toEventStream({
      view,
      clock,
      keepAliveMs,
      from: request.from,
      onProgress: (seqNo) => void (client.seqNo = seqNo),
      signal: stop.signal,
    });
    const body = toBody(frames, () => {
      this.#clients.delete(client);
      stop.abort();
    });
    return new Response(body, { headers });
  }

  /** Disconnects whoever is still there. */
  [Symbol.dispose](): void {
    this.#unsubscribe();
    for (const client of this.#clients) client.disconnect();
  }

  /** A client that stopped reading learns nothing by being waited for; disconnected, it can resume from what it has. */
  #dropLaggards(): void {
    const { view, maxLag } = this.#options;
    const { seqNo } = view.log.state;
    for (const client of this.#clients) if (seqNo - client.seqNo > maxLag) client.disconnect();
  }
}
