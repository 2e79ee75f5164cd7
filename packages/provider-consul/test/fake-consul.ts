import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer, type ServerOptions } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { systemClock, type ClusterNodeInput } from "@holdfast/core";
import { fieldOf, listOf } from "@holdfast/core/adapter";

/** Responds instead of the health API; `next` forwards the request to it. */
export type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

interface Waiting {
  readonly url: URL;
  readonly response: ServerResponse;
}

/** The content of one service, with the index of its last change. */
interface FakeService {
  readonly entries: readonly unknown[];
  readonly index: number;
}

const CATALOG = "/v1/catalog/services";

/**
 * A Consul server in this process. It supports health queries (index, blocking, and the filter of the index check), and the
 * catalog of the services that were set one by one. Unless there are such services, every service has the same content.
 */
export class FakeConsul implements AsyncDisposable {
  index = 10;
  entries: unknown[] = [];
  /** The services that were set one by one. */
  readonly services: Map<string, FakeService> = new Map();
  /** ACL rules for the catalog: it leaves out the other services. */
  isReadable: (service: string) => boolean = () => true;
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
  /** The largest number of requests that were open at the same time. */
  peakRequests = 0;
  readonly #server: Server | TlsServer;
  readonly #waiting = new Set<Waiting>();
  /** The requests whose responses have not ended. */
  readonly #open = new Set<IncomingMessage>();

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
    return this.#open.size;
  }

  /** The number of open requests for the health of a service. */
  openRequestsFor(service: string): number {
    const path = `/v1/health/service/${service}?`;
    return Array.from(this.#open).filter(({ url }) => url?.startsWith(path) === true).length;
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

  /** Sets the content of one service. Its index is the next one of the server. */
  setService(name: string, entries: readonly unknown[]): void {
    this.index++;
    this.services.set(name, { entries, index: this.index });
    this.#respondToAll();
  }

  /** Loses all services, and continues with this index. Every query that waits returns, as after the restart of a server. */
  forget(index: number): void {
    this.services.clear();
    this.index = index;
    this.#respondToAll();
  }

  /** Removes a service that was set. */
  removeService(name: string): void {
    this.index++;
    this.services.delete(name);
    this.#respondToAll();
  }

  /** Responds to the requests that were waiting because of `isHanging`. */
  resume(): void {
    this.isHanging = false;
    this.#respondToAll();
  }

  /** Resets the connections of the blocking queries with this path that wait. */
  breakQuery(path: string): void {
    for (const { url, response } of this.#waiting)
      if (url.pathname === path && !url.searchParams.has("filter")) response.socket?.resetAndDestroy();
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
    this.#open.add(request);
    this.peakRequests = Math.max(this.peakRequests, this.#open.size);
    response.on("close", () => this.#open.delete(request));
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
    if (this.#isAfter(url)) {
      this.#respond({ url, response });
      return;
    }
    const waiting = { url, response };
    this.#waiting.add(waiting);
    const waitMs = Number.parseInt(url.searchParams.get("wait") ?? "300000", 10);
    const timer = systemClock.schedule(waitMs, () => {
      if (!this.isHanging && this.#waiting.delete(waiting)) this.#respond(waiting);
    });
    response.on("close", () => {
      this.#waiting.delete(waiting);
      timer[Symbol.dispose]();
    });
  }

  /** Whether the content has changed since the index of a query. */
  #isAfter(url: URL): boolean {
    return Number(url.searchParams.get("index") ?? 0) < this.#find(url).index;
  }

  #find({ pathname }: URL): FakeService {
    if (this.services.size === 0 || pathname === CATALOG) return this;
    const name = decodeURIComponent(pathname.slice("/v1/health/service/".length));
    return this.services.get(name) ?? { entries: [], index: 1 };
  }

  #toCatalog(): Readonly<Record<string, readonly string[]>> {
    const readable = [...this.services].filter(([name]) => this.isReadable(name));
    return Object.fromEntries(readable.map(([name, { entries }]) => [name, entries.flatMap(tagsOf)]));
  }

  #respondToAll(): void {
    if (this.isHanging) return;
    for (const waiting of this.#waiting) {
      if (this.services.size > 0 && !this.#isAfter(waiting.url)) continue;
      this.#waiting.delete(waiting);
      this.#respond(waiting);
    }
  }

  #respond({ url, response }: Waiting): void {
    const { entries, index } = this.#find(url);
    const isIndexCheck = url.searchParams.get("filter")?.endsWith('Service.ID == ""') === true;
    response.writeHead(200, {
      "content-type": "application/json",
      "x-consul-index": String(index),
      "x-consul-knownleader": "true",
      "x-consul-lastcontact": "0",
      ...this.headers,
    });
    const isCatalog = url.pathname === CATALOG;
    const body = JSON.stringify(isCatalog ? this.#toCatalog() : isIndexCheck ? [] : entries);
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

function tagsOf(entry: unknown): readonly string[] {
  return listOf(fieldOf(entry, "Service"), "Tags").filter((tag) => typeof tag === "string");
}

/** Returns a node as it is read from Consul, which always has a weight. */
export function asSeen(node: ClusterNodeInput): ClusterNodeInput {
  return { ...node, weight: node.weight ?? 1 };
}
