import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { systemClock } from "@holdfast/core";

export interface RosterServerOptions {
  /** @defaultValue any free one */
  readonly port?: number | undefined;
  /** Asked for in every request. @defaultValue none */
  readonly token?: string | undefined;
}

/** How it treats requests: it answers, answers 503, or accepts them and says nothing. */
export type RosterMood = "working" | "failing" | "hanging";

/**
 * A small registry over HTTP. `GET /members` answers `{ "members": [...] }` with an ETag; with `If-None-Match` and
 * `?waitMs=N` it waits for another version and then answers it, or 304; 410 to a version from before `endStreams`.
 * `PUT /members` replaces them.
 */
export class RosterServer {
  readonly url: string;
  /** Sent as it is, in seconds, with a 503. */
  retryAfter: string | undefined;
  readonly #server: Server;
  readonly #token: string | undefined;
  readonly #waiting = new Set<() => void>();
  #members: readonly unknown[] = [];
  #mood: RosterMood = "working";
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

  /** Requests without an answer yet. */
  get openRequests(): number {
    return this.#open;
  }

  /** Connections, also those that clients keep for later. */
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

  become(mood: RosterMood): void {
    this.#mood = mood;
    this.#wake();
  }

  /** Whoever waits for another version is told that it has to start again. */
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
    if (known === this.#etag && waitMs > 0) await this.#untilNews(waitMs, response);
    // What it has become in the meantime counts.
    if (this.#isHanging()) return;
    if (this.#mood === "failing") return end(response, 503, this.#retryHeaders());
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

  /** A call, because it may change while something is awaited. */
  #isHanging(): boolean {
    return this.#mood === "hanging";
  }

  get #etag(): string {
    return `"${this.#stream}.${this.#version}"`;
  }

  #retryHeaders(): Record<string, string> {
    return this.retryAfter === undefined ? {} : { "retry-after": this.retryAfter };
  }

  async #untilNews(waitMs: number, response: ServerResponse): Promise<void> {
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
