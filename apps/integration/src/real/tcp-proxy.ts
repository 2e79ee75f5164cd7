import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What a proxy does with what comes in. */
type Mode = "pass" | "refuse" | "hang";

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
    else if (mode === "pass") this.#connect(socket);
  }

  #connect(socket: Socket): void {
    const { hostname, port } = this.#target;
    const upstream = connect(Number(port), hostname);
    this.#keep(upstream);
    socket.pipe(upstream);
    upstream.pipe(socket);
    socket.on("close", () => upstream.destroy());
    upstream.on("close", () => {
      if (this.#mode !== "hang") socket.destroy();
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // A reset is what it is here for.
    socket.on("error", () => undefined);
    socket.on("close", () => this.#sockets.delete(socket));
  }
}
