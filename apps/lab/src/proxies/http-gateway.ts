import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { Agent, request } from "undici";
import { systemClock, sleep } from "@holdfast/core";

/** How a connection is broken: `fin` ends it like an orderly close, `reset` does not. */
export type Break = "reset" | "fin";

/** What a gateway does instead of forwarding a request. */
export type Fault =
  /** Responses are forwarded up to the middle of the first chunk of the body; then the connection is broken. */
  | { readonly kind: "cut"; readonly by: Break }
  /** Requests are accepted, but get no response. */
  | { readonly kind: "silence" }
  | { readonly kind: "latency"; readonly ms: number }
  | {
      readonly kind: "response";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** The body continues with white space without an end. */
      readonly isEndless?: boolean;
    };

export interface GatewayTarget {
  readonly address: string;
  /** Added to every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** Options of `tls.connect`. */
  readonly tls: Readonly<Record<string, unknown>>;
}

export interface GatewayResponse {
  /** Path and query of the request. */
  readonly url: string;
  readonly status: number;
  /** The beginning of the body, about a thousand characters. */
  body: string;
}

/** An HTTP proxy in front of a server, like a load balancer. It accepts plain HTTP and can inject faults. */
export class HttpGateway implements AsyncDisposable {
  readonly address: string;
  /** The responses of the server so far, in order. */
  readonly responses: GatewayResponse[] = [];
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
    server.on("request", (incoming, response) => void this.#onRequest(incoming, response));
  }

  static async listen(target: GatewayTarget): Promise<HttpGateway> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new HttpGateway(server, target);
  }

  /** Number of open connections from clients. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Number of requests delayed by `hold`. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Injects the fault from now on, also into requests in progress. */
  fail(fault: Fault): void {
    this.#fault = fault;
  }

  /** Ends the fault. */
  pass(): void {
    this.#fault = undefined;
  }

  /** Delays new requests until `release`. Requests in progress continue. */
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

  async #onRequest(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    response.on("error", () => undefined);
    try {
      await this.#wait(gone.signal);
      const fault = this.#fault;
      if (fault?.kind === "silence") return;
      if (fault?.kind === "response") return await this.#respond(response, fault, gone.signal);
      if (fault?.kind === "latency") await sleep(fault.ms, { clock: systemClock, signal: gone.signal });
      await this.#forward(incoming, response, gone.signal);
    } catch {
      // The connection to the server failed, so the one to the client is closed too.
      response.destroy();
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

  async #forward(incoming: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { host: _, connection: __, ...headers } = incoming.headers;
    const {
      statusCode,
      headers: given,
      body,
    } = await request(this.#target.address + incoming.url, {
      method: incoming.method === "POST" ? "POST" : "GET",
      ...(incoming.method === "POST" && { body: incoming }),
      headers: { ...headers, ...this.#target.headers },
      dispatcher: this.#upstream,
      signal,
    });
    const { connection: ___, "transfer-encoding": ____, ...kept } = given;
    const seen: GatewayResponse = { url: incoming.url ?? "", status: statusCode, body: "" };
    this.responses.push(seen);
    response.writeHead(statusCode, kept);
    response.flushHeaders();
    for await (const piece of body as AsyncIterable<Buffer>) {
      const fault = this.#fault;
      if (fault?.kind === "cut") return breakOff(response, piece.subarray(0, piece.length >> 1), fault.by);
      response.write(piece);
      if (seen.body.length < 1_000) seen.body += piece.toString("utf8", 0, 1_000);
    }
    response.end();
  }

  async #respond(
    response: ServerResponse,
    fault: Extract<Fault, { kind: "response" }>,
    signal: AbortSignal,
  ): Promise<void> {
    response.writeHead(fault.status, fault.headers);
    if (fault.isEndless !== true) return void response.end(fault.body);
    response.write(fault.body);
    const space = " ".repeat(65_536);
    for (;;) if (!response.write(space)) await once(response, "drain", { signal });
  }
}

function breakOff(response: ServerResponse, piece: Buffer, by: Break): void {
  const { socket } = response;
  response.write(piece, () => {
    if (by === "reset") socket?.resetAndDestroy();
    else socket?.end();
  });
}
