import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { systemClock } from "@holdfast/core";

export interface RosterServerOptions {
  /** @defaultValue a free port */
  readonly port?: number | undefined;
  /** The bearer token that every request must contain. @defaultValue none */
  readonly token?: string | undefined;
}

/** How the server treats requests: it responds normally, responds with 503, or accepts them and never responds. */
export type RosterBehaviour = "working" | "failing" | "hanging";

/**
 * A small registry over HTTP. `GET /members` responds with `{ "members": [...] }` and an ETag. With `If-None-Match` and
 * `?waitMs=N` it waits until the version differs and responds with it, or with 304 after the time. It responds with 410
 * to an ETag from before the last call of `endStreams`. `PUT /members` replaces the members.
 */
export class RosterServer {
  readonly url: string;
  /** The value of the header `Retry-After` of a response with 503, in seconds. */
  retryAfter: string | undefined;
  readonly #server: Server;
  readonly #token: string | undefined;
  readonly #waiting = new Set<() => void>();
  #members: readonly unknown[] = [];
  #behaviour: RosterBehaviour = "working";
  #stream = 1;
  #version = 1;
  #open = 0;

  private constructor(server: Server, token: string | undefined) {
    const { port } = server.address() as AddressInfo; // it listens on TCP
    this.url = `http://127.0.0.1:${port}/members`;
    this.#server = server;
    this.#token = token;
    server.on("request", (request, response) => {
      this.#open++;
      response.on("close", () => void this.#open--);
      void this.#serve(request, response);
    });
  }

  static async listen({ port = 0, token }: RosterServerOptions = {}): Promise<RosterServer> {
    const server = createServer().listen(port, "127.0.0.1");
    await once(server, "listening");
    return new RosterServer(server, token);
  }

  /** The number of requests that have no response yet. */
  get openRequests(): number {
    return this.#open;
  }

  /** The number of connections, including idle ones that clients keep open. */
  get connections(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    return promise;
  }

  set(members: readonly unknown[]): void {
    this.#members = members;
    this.#version++;
    this.#wake();
  }

  behave(behaviour: RosterBehaviour): void {
    this.#behaviour = behaviour;
    this.#wake();
  }

  /** Makes all known versions invalid: each client that waits for another version must start again. */
  endStreams(): void {
    this.#stream++;
    this.#wake();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? "", this.url);
    if (pathname !== "/members") return end(response, 404);
    if (this.#token !== undefined && headers.authorization !== `Bearer ${this.#token}`)
      return end(response, 401);
    if (method === "PUT") return this.#replace(request, response);
    const known = headers["if-none-match"];
    const waitMs = known === undefined ? 0 : Number(searchParams.get("waitMs"));
    if (this.#isHanging()) return;
    if (known === this.#etag && waitMs > 0) await this.#untilChanged(waitMs, response);
    // The behaviour may have changed during the wait.
    if (this.#isHanging()) return;
    if (this.#behaviour === "failing") return end(response, 503, this.#retryHeaders());
    if (known !== undefined && !known.startsWith(`"${this.#stream}.`)) return end(response, 410);
    if (known === this.#etag) return end(response, 304, { etag: this.#etag });
    const content = { "content-type": "application/json", etag: this.#etag };
    response.writeHead(200, content).end(JSON.stringify({ members: this.#members }));
  }

  async #replace(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const { members } = JSON.parse(await text(request)) as { members?: unknown };
      if (!Array.isArray(members)) return end(response, 400);
      this.set(members);
      end(response, 204);
    } catch {
      end(response, 400);
    }
  }

  /** A method, because TypeScript would otherwise assume that the value does not change during an `await`. */
  #isHanging(): boolean {
    return this.#behaviour === "hanging";
  }

  get #etag(): string {
    return `"${this.#stream}.${this.#version}"`;
  }

  #retryHeaders(): Record<string, string> {
    return this.retryAfter === undefined ? {} : { "retry-after": this.retryAfter };
  }

  async #untilChanged(waitMs: number, response: ServerResponse): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = systemClock.schedule(waitMs, resolve);
    this.#waiting.add(resolve);
    response.on("close", resolve);
    await promise;
    this.#waiting.delete(resolve);
    timer[Symbol.dispose]();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers).end();
}
