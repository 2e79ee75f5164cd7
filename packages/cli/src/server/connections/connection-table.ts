import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface ConnectionTableOptions {
  readonly max: number;
  /** Connections that are never closed for a new one, such as those that follow `/events`. */
  readonly isKept: (socket: Socket) => boolean;
}

/**
 * Limits how many connections are open, so that descriptors are left for the providers. A new connection is let in and the one
 * that has been idle for longest is closed, then the one whose request has been in progress for longest: Node's own
 * `maxConnections` refuses the new one, so idle connections could keep every health check out.
 */
export class ConnectionTable {
  readonly #options: ConnectionTableOptions;
  /** Without a request in progress; idle for longest first. */
  readonly #idle: Set<Socket> = new Set();
  /** With a request in progress; oldest first. */
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
