import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface RequestTurnsOptions {
  readonly onRequest: RequestListener;
  /** Maximum number of pipelined requests that wait on one socket. One more closes the connection. */
  readonly maxWaiting: number;
  /** The same for all sockets together. */
  readonly maxWaitingInAll: number;
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
  #waitingInAll = 0;

  constructor(options: RequestTurnsOptions) {
    this.#options = options;
  }

  add(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { socket } = incoming;
    if (socket.destroyed) return;
    const { maxWaiting, maxWaitingInAll } = this.#options;
    const waiting = this.#waiting.get(socket);
    if (waiting === undefined) {
      this.#waiting.set(socket, []);
      this.#handle(incoming, outgoing);
    } else if (waiting.length < maxWaiting && this.#waitingInAll < maxWaitingInAll) {
      waiting.push([incoming, outgoing]);
      this.#waitingInAll++;
    } else {
      this.#drop(waiting);
      socket.destroy();
    }
  }

  #drop(waiting: Exchange[]): void {
    this.#waitingInAll -= waiting.length;
    waiting.length = 0;
  }

  #handle(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#options.onRequest(incoming, outgoing);
    outgoing.once("close", () => this.#next(incoming.socket));
  }

  #next(socket: Socket): void {
    const waiting = this.#waiting.get(socket) ?? [];
    if (socket.destroyed) this.#drop(waiting);
    const next = waiting.shift();
    if (next === undefined) {
      this.#waiting.delete(socket);
      return;
    }
    this.#waitingInAll--;
    this.#handle(...next);
  }
}
