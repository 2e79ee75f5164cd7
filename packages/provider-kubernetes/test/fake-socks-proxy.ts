import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

export interface FakeSocksProxyOptions {
  /** The port to which all connections lead, independent of the requested address. */
  readonly targetPort: number;
  /** The required password, for any user name. @defaultValue no authentication */
  readonly password?: string | undefined;
}

/** A SOCKS5 proxy (RFC 1928, with the user names of RFC 1929). It expects each message in a separate packet. */
export class FakeSocksProxy implements AsyncDisposable {
  /** The requested addresses of all connections, as `host:port`. */
  readonly requested: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, options: FakeSocksProxyOptions) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => socket.destroy());
      void this.#serve(socket, options).catch(() => socket.destroy());
    });
  }

  static async listen(options: FakeSocksProxyOptions): Promise<FakeSocksProxy> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new FakeSocksProxy(server, options);
  }

  get port(): number {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a TCP port
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => void this.#server.close(resolve));
  }

  async #serve(socket: Socket, { targetPort, password }: FakeSocksProxyOptions): Promise<void> {
    await nextPacket(socket);
    if (password !== undefined) {
      socket.write(Buffer.from([5, 2]));
      const login = await nextPacket(socket);
      const given = login.subarray(login[1]! + 3).toString();
      if (given !== password) return void socket.end(Buffer.from([1, 1]));
      socket.write(Buffer.from([1, 0]));
    } else {
      socket.write(Buffer.from([5, 0]));
    }
    const request = await nextPacket(socket);
    const port = request.readUInt16BE(request.length - 2);
    const isName = request[3] === 3;
    const host = isName ? request.subarray(5, 5 + request[4]!).toString() : request.subarray(4, 8).join(".");
    this.requested.push(`${host}:${port}`);
    const target = connect(targetPort, "127.0.0.1");
    this.#sockets.add(target);
    target.on("error", () => socket.destroy());
    await once(target, "connect");
    socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]));
    return void socket.pipe(target).pipe(socket);
  }
}

/** Reads the next packet. The client sends nothing more before it has a response. */
async function nextPacket(socket: Socket): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  socket.once("data", resolve).once("close", reject);
  return promise;
}
