import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import type { ClusterNodeInput } from "@holdfast/core";

export interface FakeSlice {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly [field: string]: unknown;
}

/** Responds instead of the API; `next` forwards the request to it. */
export type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * An API server with the EndpointSlices of one namespace in this process. It supports lists in pages, watches with
 * bookmarks, and versions.
 */
export class FakeApiServer implements AsyncDisposable {
  version = 100;
  /** Accepts all requests and sends nothing, not even in open watches. */
  isHanging = false;
  /** When true, the version changes only with these slices, as if nothing else happened in the cluster. */
  isIdle = false;
  handler: Handler | undefined;
  /** How long a second of `timeoutSeconds` lasts, in milliseconds. */
  secondMs = 1_000;
  readonly requests: URL[] = [];
  readonly authorizations: (string | undefined)[] = [];
  /** All headers of each request. A name may have several values. */
  readonly headers: NodeJS.Dict<string[]>[] = [];
  readonly slices: Map<string, FakeSlice> = new Map();
  /** The slices as they were passed to `put`, as JSON. */
  readonly #given = new Map<string, string>();
  /** The number of accepted connections. */
  accepted = 0;
  readonly #server: Server | TlsServer;
  /** The oldest version from which a watch can start. */
  #oldest = 0;
  readonly #history: { readonly version: number; readonly line: string }[] = [];
  /** For each watch, the version up to which it has received the events. */
  readonly #watches = new Map<ServerResponse, number>();
  #open = 0;

  private constructor(server: Server | TlsServer) {
    this.#server = server;
    server.on("connection", () => this.accepted++);
  }

  /** Starts the server; with TLS if options for it are given. */
  static async listen(tls?: ServerOptions): Promise<FakeApiServer> {
    const onRequest = (request: IncomingMessage, response: ServerResponse): void =>
      fake.#onRequest(request, response);
    const server = tls === undefined ? createServer(onRequest) : createTlsServer(tls, onRequest);
    const fake = new FakeApiServer(server);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return fake;
  }

  get address(): string {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a TCP port
    const { port } = this.#server.address() as AddressInfo;
    return `${this.#server instanceof TlsServer ? "https" : "http"}://127.0.0.1:${port}`;
  }

  /** The number of requests whose responses have not ended. */
  get openRequests(): number {
    return this.#open;
  }

  get watches(): number {
    return this.#watches.size;
  }

  /** Sets the complete content, with one slice for each port. */
  publish(nodes: readonly ClusterNodeInput[]): void {
    this.replace(toSlices(nodes));
  }

  replace(slices: readonly FakeSlice[]): void {
    const wanted = new Map(slices.map((slice) => [slice.metadata.name, slice]));
    for (const name of this.slices.keys()) if (!wanted.has(name)) this.delete(name);
    for (const [name, slice] of wanted) if (this.#given.get(name) !== JSON.stringify(slice)) this.put(slice);
  }

  put(slice: FakeSlice): void {
    const type = this.slices.has(slice.metadata.name) ? "MODIFIED" : "ADDED";
    this.version++;
    this.#given.set(slice.metadata.name, JSON.stringify(slice));
    const stored = { ...slice, metadata: { ...slice.metadata, resourceVersion: String(this.version) } };
    this.slices.set(slice.metadata.name, stored);
    this.#emit(type, stored);
  }

  delete(name: string): void {
    const slice = this.slices.get(name)!;
    this.slices.delete(name);
    this.#given.delete(name);
    this.version++;
    this.#emit("DELETED", {
      ...slice,
      metadata: { ...slice.metadata, resourceVersion: String(this.version) },
    });
  }

  /** Writes a text to every watch without changes. */
  write(text: string): void {
    for (const watch of this.#watches.keys()) watch.write(text);
  }

  /** Ends every watch normally. */
  endWatches(): void {
    for (const watch of this.#watches.keys()) this.#end(watch);
  }

  /** Removes the history. Watches from earlier versions get 410. */
  compact(): void {
    this.#history.length = 0;
    this.#oldest = ++this.version;
  }

  /** Simulates a restart: all connections are reset, and the history is removed. */
  restart(): void {
    this.#history.length = 0;
    this.#oldest = this.version;
    this.drop();
  }

  /** Simulates an etcd that was restored from a backup: sets an earlier version and its content. */
  restore(version: number, slices: readonly FakeSlice[]): void {
    this.version = version;
    this.slices.clear();
    for (const slice of slices) this.slices.set(slice.metadata.name, slice);
    this.restart();
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

  #emit(type: string, object: unknown): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    this.#history.push({ version: this.version, line });
    if (this.isHanging) return;
    for (const [watch, sentVersion] of this.#watches) {
      if (sentVersion >= this.version) continue;
      watch.write(line);
      this.#watches.set(watch, this.version);
    }
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "", "http://fake");
    this.requests.push(url);
    this.authorizations.push(request.headers.authorization);
    this.headers.push(request.headersDistinct);
    this.#open++;
    response.on("close", () => this.#open--);
    if (this.isHanging) return;
    const next = () =>
      url.searchParams.has("watch") ? this.#watch(url, response) : this.#list(url, response);
    if (this.handler === undefined) next();
    else this.handler(request, response, next);
  }

  #list({ searchParams }: URL, response: ServerResponse): void {
    if (Number(searchParams.get("resourceVersion")) > this.version) {
      answer(response, 504, {
        kind: "Status",
        code: 504,
        reason: "Timeout",
        message: "Too large resource version",
      });
      return;
    }
    const field = searchParams.get("fieldSelector")?.replace("metadata.name=", "");
    const from = Number(searchParams.get("continue") ?? 0);
    const limit = Number(searchParams.get("limit") ?? 500);
    const all = [...this.slices.values()].filter(
      ({ metadata }) => (field ?? metadata.name) === metadata.name,
    );
    const isMore = from + limit < all.length;
    answer(response, 200, {
      kind: "EndpointSliceList",
      metadata: {
        resourceVersion: String(this.version),
        ...(isMore && { continue: String(from + limit) }),
      },
      items: all.slice(from, from + limit),
    });
  }

  #watch({ searchParams }: URL, response: ServerResponse): void {
    const since = Number(searchParams.get("resourceVersion"));
    if (since < this.#oldest) {
      answer(response, 410, { kind: "Status", code: 410, reason: "Expired" });
      return;
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const { version, line } of this.#history) if (version > since) response.write(line);
    this.#watches.set(response, Math.max(since, this.version));
    const durationMs = Number(searchParams.get("timeoutSeconds")) * this.secondMs;
    // oxlint-disable-next-line no-restricted-globals -- the server uses real time
    const timer = setTimeout(() => {
      // A real server sends to a watch only what is newer than its start.
      if (this.isHanging) return;
      if (!this.isIdle) this.version++;
      this.#end(response, this.version > since ? this.bookmark() : "");
    }, durationMs);
    response.on("close", () => {
      // oxlint-disable-next-line no-restricted-globals -- as above
      clearTimeout(timer);
      this.#watches.delete(response);
    });
  }

  #end(watch: ServerResponse, last = ""): void {
    this.#watches.delete(watch);
    watch.end(last);
  }

  bookmark(): string {
    const object = { kind: "EndpointSlice", metadata: { resourceVersion: String(this.version) } };
    return `${JSON.stringify({ type: "BOOKMARK", object })}\n`;
  }
}

export function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Creates a slice as a controller does. */
export function toSlice(name: string, parts: Readonly<Record<string, unknown>>): FakeSlice {
  return {
    metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": "web" } },
    addressType: "IPv4",
    ports: [{ name: "http", port: 80 }],
    endpoints: [],
    ...parts,
  };
}

/** Creates a slice with pods that have these names. */
export function pods(slice: string, ...names: readonly string[]): FakeSlice {
  const endpoints = names.map((name) => ({ addresses: ["10.0.0.1"], targetRef: { kind: "Pod", name } }));
  return toSlice(slice, { endpoints });
}

/** Creates one slice for each port, because a slice has one port for all of its endpoints. */
export function toSlices(nodes: readonly ClusterNodeInput[]): readonly FakeSlice[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const byPort = Map.groupBy(byId.values(), ({ port }) => port);
  return [...byPort].map(([port, members]) =>
    toSlice(`web-${port}`, {
      ports: [{ name: "http", port }],
      endpoints: members.map(({ id, host, zone }) => ({
        addresses: [host],
        conditions: { ready: true },
        targetRef: { kind: "Pod", name: id },
        ...(zone !== undefined && { zone }),
      })),
    }),
  );
}

/** Returns the fields of a node that EndpointSlices preserve. */
export function asSeen({ id, host, port, zone }: ClusterNodeInput): ClusterNodeInput {
  return { id, host, port, zone };
}
