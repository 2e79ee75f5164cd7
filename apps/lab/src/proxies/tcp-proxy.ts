import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Transform } from "node:stream";
import { systemClock } from "@holdfast/core";
import type { Break } from "./http-gateway.ts";

/** What a proxy does with what comes in. */
type Mode = "pass" | "refuse" | "hang" | { readonly cut: Break } | { readonly delayMs: number };

/** Stands between a client and a server, and does what real networks do, also to TLS. */
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

  /** `target` is the URL of the server behind it. */
  static async listen(target: string): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true }, (socket) => proxy.#onConnection(socket));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = new TcpProxy(server, new URL(target));
    return proxy;
  }

  /** Connections are let through. Those that hung are closed. */
  pass(): void {
    this.#switch("pass");
  }

  /** Each connection is broken in the middle of the next piece that the server sends. */
  cut(by: Break): void {
    this.#mode = { cut: by };
  }

  /** Each piece that the server sends takes so long, one after another. */
  slow(delayMs: number): void {
    this.#mode = { delayMs };
  }

  /** Every connection is reset, also new ones. */
  refuse(): void {
    this.#switch("refuse");
  }

  /** Connections stay open and are accepted; nothing comes through any more. */
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

  /** What the server sends goes through it on its way to the client. */
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
    // A reset is what it is here for.
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
