import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Agent, request } from "undici";
import { systemClock, sleep } from "@holdfast/core";

/** How a connection is broken: `fin` looks like an orderly end, `reset` does not. */
export type Break = "reset" | "fin";

/** What a gateway does instead of passing on. */
export type Fault =
  /** What is asked of the server comes through as far as the middle of the first piece of its body. */
  | { readonly kind: "cut"; readonly by: Break }
  /** Requests are taken, and not answered. */
  | { readonly kind: "silence" }
  | { readonly kind: "latency"; readonly ms: number }
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** The body goes on with white space, for ever. */
      readonly isEndless?: boolean;
    };

export interface GatewayTarget {
  readonly address: string;
  /** Added to every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** What Node's TLS takes. */
  readonly tls: Readonly<Record<string, unknown>>;
}

export interface GatewayAnswer {
  /** Path and query of what was asked. */
  readonly url: string;
  readonly status: number;
  /** The first thousand characters. */
  body: string;
}

/** Stands before a server as a load balancer does, speaks plain HTTP, and does what bad ones do. */
export class HttpGateway implements AsyncDisposable {
  readonly address: string;
  /** What the server answered, in order, as far as it has come. */
  readonly answers: GatewayAnswer[] = [];
  readonly #server: Server;
  readonly #target: GatewayTarget;
  readonly #upstream: Agent;
  readonly #sockets = new Set<Socket>();
  #fault: Fault | undefined;
  #held: PromiseWithResolvers<void> | undefined;
  #waiting = 0;

  private constructor(server: Server, target: GatewayTarget) {
    this.#server = server;
    this.#target = target;
    this.#upstream = new Agent({ connect: target.tls, allowH2: false, headersTimeout: 0, bodyTimeout: 0 });
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.on("request", (asked, answer) => void this.#onRequest(asked, answer));
  }

  static async listen(target: GatewayTarget): Promise<HttpGateway> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new HttpGateway(server, target);
  }

  /** Connections that clients hold open. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Requests that `hold` keeps back. */
  get waiting(): number {
    return this.#waiting;
  }

  /** From now on, also for what is on its way. */
  fail(fault: Fault): void {
    this.#fault = fault;
  }

  pass(): void {
    this.#fault = undefined;
  }

  /** Requests wait; what is on its way goes on. */
  hold(): void {
    this.#held ??= Promise.withResolvers();
  }

  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#upstream.destroy();
    await closed;
  }

  async #onRequest(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const gone = new AbortController();
    answer.on("close", () => gone.abort());
    answer.on("error", () => undefined);
    try {
      await this.#wait(gone.signal);
      const fault = this.#fault;
      if (fault?.kind === "silence") return;
      if (fault?.kind === "answer") return await this.#say(answer, fault, gone.signal);
      if (fault?.kind === "latency") await sleep(fault.ms, { clock: systemClock, signal: gone.signal });
      await this.#passOn(asked, answer, gone.signal);
    } catch {
      // The server broke off, and so the client is broken off too.
      answer.destroy();
    }
  }

  async #wait(signal: AbortSignal): Promise<void> {
    if (this.#held === undefined) return;
    this.#waiting++;
    try {
      await this.#held.promise;
    } finally {
      this.#waiting--;
    }
    signal.throwIfAborted();
  }

  async #passOn(asked: IncomingMessage, answer: ServerResponse, signal: AbortSignal): Promise<void> {
    const { host: _, connection: __, ...headers } = asked.headers;
    const {
      statusCode,
      headers: given,
      body,
    } = await request(this.#target.address + asked.url, {
      method: asked.method === "POST" ? "POST" : "GET",
      ...(asked.method === "POST" && { body: asked }),
      headers: { ...headers, ...this.#target.headers },
      dispatcher: this.#upstream,
      signal,
    });
    const { connection: ___, "transfer-encoding": ____, ...kept } = given;
    const seen: GatewayAnswer = { url: asked.url ?? "", status: statusCode, body: "" };
    this.answers.push(seen);
    answer.writeHead(statusCode, kept);
    answer.flushHeaders();
    for await (const piece of body as AsyncIterable<Buffer>) {
      const fault = this.#fault;
      if (fault?.kind === "cut") return breakOff(answer, piece.subarray(0, piece.length >> 1), fault.by);
      answer.write(piece);
      if (seen.body.length < 1_000) seen.body += piece.toString("utf8", 0, 1_000);
    }
    answer.end();
  }

  async #say(
    answer: ServerResponse,
    fault: Extract<Fault, { kind: "answer" }>,
    signal: AbortSignal,
  ): Promise<void> {
    answer.writeHead(fault.status, fault.headers);
    if (fault.isEndless !== true) return void answer.end(fault.body);
    answer.write(fault.body);
    const space = " ".repeat(65_536);
    for (;;) if (!answer.write(space)) await once(answer, "drain", { signal });
  }
}

function breakOff(answer: ServerResponse, piece: Buffer, by: Break): void {
  const { socket } = answer;
  answer.write(piece, () => {
    if (by === "reset") socket?.resetAndDestroy();
    else socket?.end();
  });
}
