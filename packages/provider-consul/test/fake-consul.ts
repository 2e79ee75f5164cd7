import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer, type ServerOptions } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import type { ClusterNodeInput } from "@holdfast/core";

/** Responds instead of the health API; `next` forwards the request to it. */
export type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

interface Waiting {
  readonly url: URL;
  readonly response: ServerResponse;
}

/**
 * A Consul server with one service in this process. It supports health queries: index, blocking, and the filter of the
 * index check.
 */
export class FakeConsul implements AsyncDisposable {
  index = 10;
  entries: unknown[] = [];
  /** Additional headers of every response of the health API. */
  headers: Record<string, string> = {};
  /** Accepts every request and does not respond. */
  isHanging = false;
  handler: Handler | undefined;
  /** Receives a function that ends the response to a blocking query, after its headers have been sent. */
  slow: ((end: () => void) => void) | undefined;
  /** Paths with query of all requests. */
  readonly requests: string[] = [];
  readonly tokens: unknown[] = [];
  readonly #server: Server | TlsServer;
  readonly #waiting = new Set<Waiting>();
  /** The number of requests whose responses have not ended. */
  #open = 0;

  private constructor(server: Server | TlsServer) {
    this.#server = server;
  }

  /** Starts the server; with TLS if options for it are given. */
  static async listen(tls?: ServerOptions): Promise<FakeConsul> {
    const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
      fake.#onRequest(request, response);
    const server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
    const fake = new FakeConsul(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return fake;
  }

  get address(): string {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a TCP port
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#server instanceof TlsServer ? "https" : "http"}://127.0.0.1:${port}`;
  }

  get openRequests(): number {
    return this.#open;
  }

  /** The number of waiting blocking queries. */
  get blocked(): number {
    return this.#waiting.size;
  }

  /** The number of open connections. */
  connections(): Promise<number> {
    return promisify(this.#server.getConnections.bind(this.#server))();
  }

  publish(nodes: readonly ClusterNodeInput[]): void {
    this.set(nodes.map(toEntry));
  }

  /** Sets the complete content and the index. */
  set(entries: unknown[], index: number = this.index + 1): void {
    this.entries = entries;
    this.index = index;
    this.#respondToAll();
  }

  /** Responds to the requests that were waiting because of `isHanging`. */
  resume(): void {
    this.isHanging = false;
    this.#respondToAll();
  }

  /** Resets every connection. */
  drop(): void {
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    this.requests.push(request.url ?? "");
    this.tokens.push(request.headers["x-consul-token"]);
    this.#open++;
    response.on("close", () => this.#open--);
    const next = () => this.#onHealth(request, response);
    if (this.isHanging) return;
    if (this.handler === undefined) next();
    else this.handler(request, response, next);
  }

  #onHealth(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "", "http://fake");
    if (url.pathname === "/v1/internal/acl/authorize") {
      response.writeHead(401).end("ACL support disabled");
      return;
    }
    if (url.pathname === "/v1/status/leader") {
      response.writeHead(200, { "content-type": "application/json" }).end('"127.0.0.1:8300"');
      return;
    }
    if (Number(url.searchParams.get("index") ?? 0) < this.index) {
      this.#respond({ url, response });
      return;
    }
    const waiting = { url, response };
    this.#waiting.add(waiting);
    response.on("close", () => this.#waiting.delete(waiting));
  }

  #respondToAll(): void {
    if (this.isHanging) return;
    for (const waiting of this.#waiting) {
      this.#waiting.delete(waiting);
      this.#respond(waiting);
    }
  }

  #respond({ url, response }: Waiting): void {
    const isIndexCheck = url.searchParams.get("filter")?.endsWith('Service.ID == ""') === true;
    response.writeHead(200, {
      "content-type": "application/json",
      "x-consul-index": String(this.index),
      "x-consul-knownleader": "true",
      "x-consul-lastcontact": "0",
      ...this.headers,
    });
    const body = JSON.stringify(isIndexCheck ? [] : this.entries);
    if (this.slow === undefined || !url.searchParams.has("index")) response.end(body);
    else {
      response.write(body.slice(0, 1));
      this.slow(() => response.end(body.slice(1)));
    }
  }
}

/** Converts a node to an entry of Consul, with the id of the node as service id. */
export function toEntry(node: ClusterNodeInput): Record<string, Record<string, unknown> | unknown[]> {
  const { id, host, port, zone, weight, tags, metadata } = node;
  return {
    Node: { Node: `on-${id}`, Address: "10.9.9.9", Meta: zone === undefined ? null : { zone } },
    Service: {
      ID: id,
      Service: "web",
      Address: host,
      Port: port,
      Tags: tags ?? null,
      Meta: metadata ?? null,
      Weights: { Passing: weight ?? 1, Warning: 1 },
    },
    Checks: [{ Status: "passing" }],
  };
}

/** Returns a node as it is read from Consul, which always has a weight. */
export function asSeen(node: ClusterNodeInput): ClusterNodeInput {
  return { ...node, weight: node.weight ?? 1 };
}
