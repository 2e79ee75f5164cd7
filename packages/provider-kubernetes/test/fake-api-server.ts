import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, Server as TlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import type { ClusterNodeInput } from "@holdfast/core";
import { textOf } from "@holdfast/core/adapter";

export interface FakeSlice {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string };
  readonly [field: string]: unknown;
}

/** The resources of the server. */
type Plural = "endpointslices" | "services";

interface Change {
  readonly version: number;
  readonly plural: Plural;
  readonly type: string;
  /** The object before the change; absent when it is new. */
  readonly before: FakeSlice | undefined;
  readonly object: FakeSlice;
}

interface OpenWatch {
  readonly url: URL;
  /** The version up to which it has received the events. */
  sentVersion: number;
}

/** Responds instead of the API; `next` forwards the request to it. */
export type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

/**
 * An API server with the EndpointSlices and Services of one namespace in this process. It supports lists in pages, watches with
 * bookmarks, versions, and label selectors of the forms `LABEL` and `LABEL=VALUE`; other selectors select everything.
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
  readonly services: Map<string, FakeSlice> = new Map();
  /** The slices as they were passed to `put`, as JSON. */
  readonly #given = new Map<string, string>();
  /** The number of accepted connections. */
  accepted = 0;
  readonly #server: Server | TlsServer;
  /** The oldest version from which a watch can start. */
  #oldest = 0;
  readonly #history: Change[] = [];
  readonly #watches = new Map<ServerResponse, OpenWatch>();
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
    this.#given.set(slice.metadata.name, JSON.stringify(slice));
    this.#put("endpointslices", slice);
  }

  delete(name: string): void {
    this.#given.delete(name);
    this.#delete("endpointslices", name);
  }

  /** Creates or replaces a Service with these labels. */
  putService(name: string, labels: Readonly<Record<string, string>> = {}, spec: object = {}): void {
    this.#put("services", { metadata: { name, namespace: "default", labels }, spec });
  }

  deleteService(name: string): void {
    this.#delete("services", name);
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
    this.services.clear();
    for (const slice of slices) this.slices.set(slice.metadata.name, slice);
    this.restart();
  }

  /** Sets an earlier version without closing a connection, as behind a load balancer. */
  rewind(version: number): void {
    this.version = version;
    this.#history.length = 0;
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

  #objects(plural: Plural): Map<string, FakeSlice> {
    return plural === "services" ? this.services : this.slices;
  }

  #put(plural: Plural, object: FakeSlice): void {
    const objects = this.#objects(plural);
    const { name } = object.metadata;
    const before = objects.get(name);
    this.version++;
    const stored = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.version) } };
    objects.set(name, stored);
    this.#emit({ plural, type: before === undefined ? "ADDED" : "MODIFIED", before, object: stored });
  }

  #delete(plural: Plural, name: string): void {
    const objects = this.#objects(plural);
    const before = objects.get(name)!;
    objects.delete(name);
    this.version++;
    const object = { ...before, metadata: { ...before.metadata, resourceVersion: String(this.version) } };
    this.#emit({ plural, type: "DELETED", before, object });
  }

  #emit(change: Omit<Change, "version">): void {
    const { version } = this;
    this.#history.push({ ...change, version });
    if (this.isHanging) return;
    for (const [response, watch] of this.#watches) {
      if (watch.sentVersion >= version) continue;
      response.write(toLine(change, watch.url));
      watch.sentVersion = version;
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

  #list(url: URL, response: ServerResponse): void {
    const { searchParams } = url;
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
    const all = [...this.#objects(pluralOf(url)).values()].filter(
      (object) => (field ?? object.metadata.name) === object.metadata.name && isSelected(object, url),
    );
    const isMore = from + limit < all.length;
    answer(response, 200, {
      kind: pluralOf(url) === "services" ? "ServiceList" : "EndpointSliceList",
      metadata: {
        resourceVersion: String(this.version),
        ...(isMore && { continue: String(from + limit) }),
      },
      items: all.slice(from, from + limit),
    });
  }

  #watch(url: URL, response: ServerResponse): void {
    const { searchParams } = url;
    const since = Number(searchParams.get("resourceVersion"));
    if (since < this.#oldest) {
      answer(response, 410, { kind: "Status", code: 410, reason: "Expired" });
      return;
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    for (const change of this.#history) if (change.version > since) response.write(toLine(change, url));
    this.#watches.set(response, { url, sentVersion: Math.max(since, this.version) });
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

function pluralOf({ pathname }: URL): Plural {
  return pathname.endsWith("/services") ? "services" : "endpointslices";
}

function isSelected({ metadata }: FakeSlice, { searchParams }: URL): boolean {
  const match = /^([\w./-]+)(?:=([\w.-]+))?$/.exec(searchParams.get("labelSelector") ?? "");
  if (match === null) return true;
  const [, label = "", wanted] = match;
  const value = textOf(metadata["labels"], label);
  return wanted === undefined ? value !== undefined : value === wanted;
}

/** Returns the line that a watch receives for a change; empty when it does not concern what the watch selects. */
function toLine({ plural, type, before, object }: Omit<Change, "version">, url: URL): string {
  if (pluralOf(url) !== plural) return "";
  const was = before !== undefined && isSelected(before, url);
  const is = type !== "DELETED" && isSelected(object, url);
  if (!was && !is) return "";
  const seen = !was ? "ADDED" : is ? "MODIFIED" : "DELETED";
  return `${JSON.stringify({ type: seen, object })}\n`;
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

/** Creates a slice of a Service with pods that have these names. */
export function podsOf(service: string, slice: string, ...names: readonly string[]): FakeSlice {
  const { metadata, ...rest } = pods(slice, ...names);
  return { ...rest, metadata: { ...metadata, labels: { "kubernetes.io/service-name": service } } };
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
