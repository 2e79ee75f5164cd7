import { once } from "node:events";
import { connect, type Socket } from "node:net";

const TAIL = 256;

/** A client that sends exactly the given bytes. */
export class RawClient implements AsyncDisposable {
  readonly socket: Socket;
  /** The text received so far. */
  text = "";
  /** The last characters of it. Searching a long text for each piece of it would take long. */
  tail = "";
  readonly #closed: Promise<void>;
  #arrived = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      const piece = chunk.toString("latin1");
      this.text += piece;
      this.tail = (this.tail + piece).slice(-TAIL);
      this.#arrived.resolve();
    });
    this.#closed = new Promise((resolve) => void socket.once("close", () => resolve()));
    void this.#closed.then(() => this.#arrived.resolve());
  }

  static async connect(url: string): Promise<RawClient> {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    const client = new RawClient(socket);
    await once(socket, "connect");
    return client;
  }

  send(text: string): this {
    this.socket.write(text);
    return this;
  }

  get(path: string, version = "1.1"): this {
    return this.send(`GET ${path} HTTP/${version}\r\nHost: localhost\r\n\r\n`);
  }

  /** The status codes of all responses so far. */
  get statuses(): readonly number[] {
    return Array.from(this.text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));
  }

  /** Resolves when `isWanted` accepts the text and its last characters. Throws when the connection is closed before. */
  async until(isWanted: (text: string, tail: string) => boolean): Promise<void> {
    while (!isWanted(this.text, this.tail)) {
      if (this.socket.destroyed) throw new Error("the connection was closed");
      this.#arrived = Promise.withResolvers();
      await this.#arrived.promise;
    }
  }

  /** Resolves when the connection is closed by either side. */
  closed(): Promise<void> {
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.#closed;
  }
}
