import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";
import { systemClock } from "@holdfast/core";
import type { Break } from "./http-gateway.ts";

/** How a proxy treats its connections. */
type Mode = "pass" | "refuse" | "hang" | { readonly cut: Break } | { readonly delayMs: number };

/** A TCP proxy that simulates network faults. It also works for TLS, because it does not read the content. */
export class TcpProxy implements AsyncDisposable {
  readonly address: string;
  readonly #server: Server;
  readonly #target: URL;
  readonly #sockets = new Set<Socket>();
  #mode: Mode = "pass";

  private constructor(server: Server, target: URL) {
    this.#server = server;
    this.#target = target;
    this.address = `${target.protocol}//127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** `target` is the URL of the server. */
  static async listen(target: string): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true }, (socket) => proxy.#onConnection(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new TcpProxy(server, new URL(target));
    return proxy;
  }

  /** Forwards new connections. Existing ones are closed. */
  pass(): void {
    this.#switch("pass");
  }

  /** Breaks each connection in the middle of the next chunk from the server. */
  cut(by: Break): void {
    this.#mode = { cut: by };
  }

  /** Delays each chunk from the server by this long, one after another. */
  slow(delayMs: number): void {
    this.#mode = { delayMs };
  }

  /** Resets all connections, existing and new ones. */
  refuse(): void {
    this.#switch("refuse");
  }

  /** Accepts connections and keeps them open, but forwards nothing. */
  hang(): void {
    this.#mode = "hang";
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #switch(mode: Mode): void {
    this.#mode = mode;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #onConnection(socket: Socket): void {
    this.#keep(socket);
    const mode = this.#mode;
    if (mode === "refuse") socket.resetAndDestroy();
    else if (mode !== "hang") this.#connect(socket);
  }

  #connect(socket: Socket): void {
    const { hostname, port } = this.#target;
    const upstream = connect(Number(port), hostname);
    this.#keep(upstream);
    socket.pipe(upstream);
    upstream.pipe(this.#createGate(socket)).pipe(socket);
    socket.on("close", () => upstream.destroy());
    upstream.on("close", () => {
      if (this.#mode !== "hang") socket.destroy();
    });
  }

  /** A stream between server and client that applies the mode to each chunk. */
  #createGate(client: Socket): Transform {
    return new Transform({
      transform: (piece: Buffer, _, done) => {
        const mode = this.#mode;
        if (typeof mode === "string") done(null, piece);
        else if ("delayMs" in mode) systemClock.schedule(mode.delayMs, () => done(null, piece));
        else breakOff(client, piece.subarray(0, piece.length >> 1), mode.cut);
      },
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // Resets are expected.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

function breakOff(client: Socket, piece: Buffer, by: Break): void {
  client.write(piece, () => {
    if (by === "reset") client.resetAndDestroy();
    else client.end();
  });
}
