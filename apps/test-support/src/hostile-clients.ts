import { connect, type Socket } from "node:net";
import { sleep, systemClock } from "@holdfast/core";

/** The paths with large responses. */
const LARGE_PATHS = ["/topology", "/metrics", "/health/nodes", "/events", "/explain?node=node-1"] as const;

function toRequest(path: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
}

/**
 * Clients that misuse the endpoints at the same time, until they are disposed of. A client whose connection is closed connects again, as
 * an attacker would.
 */
export class HostileClients implements AsyncDisposable {
  readonly #port: number;
  readonly #stop = new AbortController();
  readonly #sockets: Set<Socket> = new Set();
  readonly #running: Promise<void>[] = [];
  /** How often a client was disconnected, by kind. */
  readonly disconnected: Map<string, number> = new Map();

  constructor(url: string) {
    this.#port = Number(new URL(url).port);
  }

  /** Requests a large response and never reads it. */
  stalled(count: number): this {
    return this.#run("stalled", count, async (socket, index) => {
      socket.pause();
      socket.write(toRequest(LARGE_PATHS[index % LARGE_PATHS.length]!));
    });
  }

  /** Reads a few bytes at a time. */
  slow(count: number): this {
    return this.#run("slow", count, async (socket, index) => {
      socket.write(toRequest(LARGE_PATHS[index % LARGE_PATHS.length]!));
      while (!socket.destroyed) {
        socket.pause();
        await this.#pause(100);
        socket.resume();
        await this.#pause(1);
      }
    });
  }

  /** Sends 2,000 requests in one segment. */
  pipelining(count: number, path: string): this {
    const requests = toRequest(path).repeat(2_000);
    return this.#run("pipelining", count, async (socket) => {
      socket.resume();
      socket.write(requests);
    });
  }

  /** Sends one request after the other, each on a new connection, without a pause. */
  flooding(count: number): this {
    return this.#run("flooding", count, async (socket, index) => {
      socket.resume();
      socket.end(toRequest(LARGE_PATHS[index % 3]!));
    });
  }

  /** Connects, and sends nothing or a header byte by byte. */
  idle(count: number): this {
    return this.#run("idle", count, async (socket, index) => {
      socket.resume();
      for (const byte of index % 2 === 0 ? "" : toRequest(`/${"x".repeat(4_000)}`)) {
        if (socket.destroyed) return;
        socket.write(byte);
        await this.#pause(200);
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#running);
  }

  #run(kind: string, count: number, act: (socket: Socket, index: number) => Promise<void>): this {
    for (let index = 0; index < count; index++) this.#running.push(this.#again(kind, index, act));
    return this;
  }

  async #again(
    kind: string,
    index: number,
    act: (socket: Socket, index: number) => Promise<void>,
  ): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const socket = connect(this.#port, "127.0.0.1");
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      const closed = new Promise<void>((resolve) => void socket.once("close", () => resolve()));
      socket.once("connect", () => void act(socket, index));
      await closed;
      this.#sockets.delete(socket);
      this.disconnected.set(kind, (this.disconnected.get(kind) ?? 0) + 1);
      await this.#pause(5);
    }
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, { clock: systemClock, signal: this.#stop.signal }).catch(() => undefined);
  }
}
