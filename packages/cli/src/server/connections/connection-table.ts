import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface ConnectionTableOptions {
  readonly max: number;
  /** True for a connection that is never closed for a new one, such as a follower of `/events`. */
  readonly isKept: (socket: Socket) => boolean;
}

/**
 * Limits the number of open connections, so that descriptors are left for the providers. A new connection is accepted,
 * and the one that has been idle for longest is closed; if none is idle, the one with the oldest request. Node's own
 * `maxConnections` refuses the new connection instead, so idle connections could lock out every health check.
 */
export class ConnectionTable {
  readonly #options: ConnectionTableOptions;
  /** Connections without a request in progress; idle for longest first. */
  readonly #idle: Set<Socket> = new Set();
  /** Connections with a request in progress; oldest request first. */
  readonly #busy: Set<Socket> = new Set();

  constructor(options: ConnectionTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#idle.size + this.#busy.size;
  }

  opened(socket: Socket): void {
    if (this.size >= this.#options.max) this.#makeRoom(socket);
    if (socket.destroyed) return;
    this.#idle.add(socket);
    socket.once("close", () => this.#forget(socket));
  }

  requested({ socket }: IncomingMessage, outgoing: ServerResponse): void {
    if (!this.#idle.delete(socket)) return;
    this.#busy.add(socket);
    outgoing.once("close", () => {
      if (this.#busy.delete(socket) && !socket.destroyed) this.#idle.add(socket);
    });
  }

  #makeRoom(socket: Socket): void {
    const [idle] = this.#idle;
    const victim = idle ?? this.#busy.values().find((each) => !this.#options.isKept(each)) ?? socket;
    this.#forget(victim);
    victim.destroy();
  }

  #forget(socket: Socket): void {
    this.#idle.delete(socket);
    this.#busy.delete(socket);
  }
}
