import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface RequestTurnsOptions {
  readonly onRequest: RequestListener;
  /** Maximum number of pipelined requests that wait on one socket. One more closes the connection. */
  readonly maxWaiting: number;
}

type Exchange = readonly [incoming: IncomingMessage, outgoing: ServerResponse];

/**
 * Handles the requests of a socket one at a time. Node emits every pipelined request as soon as it is parsed, more than
 * a thousand from one segment, and would hold all of their responses; `maxRequestsPerSocket` only counts them over the
 * lifetime of the socket.
 */
export class RequestTurns {
  readonly #options: RequestTurnsOptions;
  /** The waiting requests of each socket with a request in progress. */
  readonly #waiting: WeakMap<Socket, Exchange[]> = new WeakMap();

  constructor(options: RequestTurnsOptions) {
    this.#options = options;
  }

  add(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming;
    if (socket.destroyed) return;
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) {
      this.#waiting.set(socket, []);
      this.#handle(incoming, outgoing);
    } else if (waiting.length < this.#options.maxWaiting) {
      waiting.push([incoming, outgoing]);
    } else {
      waiting.length = 0;
      socket.destroy();
    }
  }

  #handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#options.onRequest(incoming, outgoing);
    outgoing.once("close", () => this.#next(incoming.socket));
  }

  #next(socket: Socket): void {
    const next = socket.destroyed ? undefined : this.#waiting.get(socket)?.shift();
    if (next === undefined) this.#waiting.delete(socket);
    else this.#handle(...next);
  }
}
