import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { ProvisioningError, sleep, type Clock } from "@holdfast/core";
import { getRequestListener, RequestError } from "@hono/node-server";
import { BoundedRequest } from "./connections/bounded-request.ts";
import { fitConnections, fitFollowers } from "./connections/connection-limit.ts";
import { ConnectionTable } from "./connections/connection-table.ts";
import { readDescriptorLimit } from "./connections/descriptor-limit.ts";
import { RequestTurns } from "./connections/request-turns.ts";
import { createApp } from "./create-app.ts";
import { Followers } from "./following/followers.ts";
import { createHostCheck } from "./host-check.ts";
import { toFailureResponse, toInternalFailure } from "./http-failure.ts";
import { DocumentPool } from "./sending/document-pool.ts";
import { LoopShare } from "./sending/loop-share.ts";
import { ServedTopologies } from "./served-topologies.ts";
import {
  BACKLOG,
  BYTES_PER_TURN,
  CONNECTIONS_BESIDES_EVENTS,
  CONNECTIONS_CHECK_MS,
  HEADERS_TIMEOUT_MS,
  MAX_ALL_WAITING_REQUESTS,
  MAX_HEADER_BYTES,
  MAX_WAITING_REQUESTS,
  REQUEST_TIMEOUT_MS,
  SOCKET_TIMEOUT_MS,
  STREAM_BYTES_PER_TURN,
  WRITE_DEADLINE_MS,
} from "./server-limits.ts";
import type { ServerDirectory } from "./server-directory.ts";

export interface HttpServerOptions {
  readonly directory: ServerDirectory;
  /** The id of this daemon, by which followers find out that they follow themselves. @defaultValue a random one */
  readonly instance?: string | undefined;
  readonly clock: Clock;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Additional names allowed in the `Host` header of requests. @defaultValue none */
  readonly allowedHosts?: readonly string[] | undefined;
  readonly maxEventClients: number;
  /**
   * Maximum number of open connections. @defaultValue `maxEventClients` + 200; lower if the limit of open files is low
   */
  readonly maxConnections?: number | undefined;
  /** Maximum memory for the texts of all responses in progress, in MiB. @defaultValue 128 */
  readonly maxReaderMemoryMb?: number | undefined;
  /** Maximum number of events that a client of `/events` may be behind before it is disconnected. */
  readonly maxLag: number;
  /** A quiet client of `/events` gets a comment this often: a third of the default health timeout. @defaultValue 5000 */
  readonly keepAliveMs?: number;
  /** Maximum number of descriptors of the process. @defaultValue the limit of the system */
  readonly descriptors?: number | undefined;
}

/** Time for responses in progress to finish when the server closes, in milliseconds. */
const GRACE_MS = 500;

const SERVER_OPTIONS = {
  IncomingMessage: BoundedRequest,
  maxHeaderSize: MAX_HEADER_BYTES,
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
};

interface ServerParts {
  readonly server: Server;
  readonly followers: Followers;
  readonly topologies: ServedTopologies;
  readonly pool: DocumentPool;
}

/**
 * The read-only endpoints of a running service. The resources that clients can use are limited by `server-limits.ts`.
 */
export class HttpServer implements AsyncDisposable {
  /** The URL without a slash at the end, with the actual port. */
  readonly url: string;
  readonly #server: Server;
  readonly #followers: Followers;
  readonly #topologies: ServedTopologies;
  readonly #pool: DocumentPool;
  readonly #clock: Clock;
  #closed: Promise<void> | undefined;

  /** @internal Use `HttpServer.listen`. */
  constructor(parts: ServerParts, url: string, clock: Clock) {
    this.url = url;
    this.#server = parts.server;
    this.#followers = parts.followers;
    this.#topologies = parts.topologies;
    this.#pool = parts.pool;
    this.#clock = clock;
  }

  /**
   * Resolves once the server accepts requests. Throws `LIFECYCLE_LISTEN_FAILED` when the address is taken or does not
   * belong to this machine.
   */
  static async listen(options: HttpServerOptions): Promise<HttpServer> {
    const { directory, clock, host, port, maxLag, keepAliveMs = 5_000 } = options;
    const maxBytes = (options.maxReaderMemoryMb ?? 128) * 1_048_576;
    const pool = new DocumentPool({ clock, maxBytes });
    const share = new LoopShare({ clock, bytesPerTurn: BYTES_PER_TURN });
    const streamShare = new LoopShare({ clock, bytesPerTurn: STREAM_BYTES_PER_TURN });
    const instance = options.instance ?? randomUUID();
    const topologies = new ServedTopologies({ directory, instance, pool, clock });
    const maxConnections = fitConnections({
      wanted: options.maxConnections ?? options.maxEventClients + CONNECTIONS_BESIDES_EVENTS,
      descriptors: options.descriptors ?? readDescriptorLimit(),
    });
    const maxClients = fitFollowers({ wanted: options.maxEventClients, connections: maxConnections });
    const followers = new Followers({
      directory,
      topologies,
      pool,
      clock,
      share: streamShare,
      maxClients,
      maxLag,
      keepAliveMs,
      writeDeadlineMs: WRITE_DEADLINE_MS,
    });
    const server = createServer(SERVER_OPTIONS);
    server.timeout = SOCKET_TIMEOUT_MS;
    try {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // This listener stays, so that a later error of the listening socket does not end the process.
      server.on("error", reject);
      server.listen({ port, host, backlog: BACKLOG }, resolve);
      await promise;
    } catch (error) {
      followers[Symbol.dispose]();
      topologies[Symbol.dispose]();
      throw toListenError(error, host, port);
    }
    const bound = toBoundAddress(server);
    const isHostAllowed = createHostCheck({
      boundAddress: bound.address,
      configuredHost: host,
      allowedHosts: options.allowedHosts ?? [],
    });
    const app = createApp({ directory, topologies, pool, followers, share, clock, isHostAllowed });
    // A request without a Host header (HTTP/1.0) still needs a name for its URL.
    const respond = getRequestListener(app.fetch, {
      overrideGlobalObjects: false,
      hostname: "localhost",
      errorHandler: toErrorResponse,
    });
    const connections = new ConnectionTable({
      max: maxConnections,
      isKept: (socket) => followers.has(socket),
    });
    const turns = new RequestTurns({
      maxWaiting: MAX_WAITING_REQUESTS,
      maxWaitingInAll: MAX_ALL_WAITING_REQUESTS,
      onRequest(incoming, outgoing) {
        connections.requested(incoming, outgoing);
        outgoing.setHeader("x-content-type-options", "nosniff");
        void respond(incoming, outgoing);
      },
    });
    server.on("connection", (socket) => connections.opened(socket));
    server.on("request", (incoming, outgoing) => turns.add(incoming, outgoing));
    const url = `http://${host.includes(":") ? `[${host}]` : host}:${bound.port}`;
    return new HttpServer({ server, followers, topologies, pool }, url, clock);
  }

  /** Number of clients that follow `/events`. */
  get eventClients(): number {
    return this.#followers.size;
  }

  /** The IP address that the server is bound to. */
  get boundAddress(): string {
    return toBoundAddress(this.#server).address;
  }

  /** Size of the texts of all responses, in bytes. */
  get readerBytes(): number {
    return this.#pool.bytes;
  }

  /** Lets responses in progress finish within half a second, then closes every connection. */
  [Symbol.asyncDispose](): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#followers.finish();
    const grace = new AbortController();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        grace.abort();
        resolve();
      });
    });
    await sleep(GRACE_MS, { clock: this.#clock, signal: grace.signal }).catch(() => {});
    this.#followers[Symbol.dispose]();
    this.#topologies[Symbol.dispose]();
    this.#server.closeAllConnections();
    await closed;
  }
}

function toBoundAddress(server: Server): AddressInfo {
  const address = server.address();
  if (typeof address === "object" && address !== null) return address;
  throw new ProvisioningError("LIFECYCLE_INTERNAL", "the server is not bound to an address and a port");
}

/** The response to a request that could not be handed to the app, or that the app failed to answer. */
function toErrorResponse(error: unknown): Response {
  if (!(error instanceof RequestError)) return toFailureResponse(toInternalFailure(error));
  const message = "the URL or the Host header of the request is malformed";
  return toFailureResponse({ status: 400, code: "VALIDATION_MALFORMED", message });
}

function toListenError(error: unknown, host: string, port: number): ProvisioningError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: "another program listens there",
    EADDRNOTAVAIL: "it is not an address of this machine",
    EACCES: "not permitted",
    ENOTFOUND: "the name does not exist",
  };
  const reason = reasons[code] ?? code;
  return new ProvisioningError("LIFECYCLE_LISTEN_FAILED", `cannot listen on ${host}:${port}: ${reason}`, {
    cause: error,
    details: { host, port, reason: code },
  });
}
