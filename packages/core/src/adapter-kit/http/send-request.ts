import type { Agent, IncomingMessage, OutgoingHttpHeaders, RequestOptions } from "node:http";
import { throwIfAborted, whenAborted } from "../../time/abort.ts";
import type { Clock } from "../../time/clock.ts";
import { nodeHttp, nodeHttps } from "./node-http.ts";

export interface OutgoingRequest {
  readonly url: URL;
  readonly agent: Agent;
  readonly headers: OutgoingHttpHeaders;
  /** Sent with `method`. Without a payload the method is GET. */
  readonly payload: string | undefined;
  /** @defaultValue "POST" */
  readonly method: "POST" | "PATCH" | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** If a connection closes within this many milliseconds, the server had not read the request. */
const CLOSED_AT_ONCE_MS = 1_000;

/**
 * Sends a request that is safe to repeat, and resolves when the headers of the response have arrived. If the server
 * closes a kept connection at the moment it is used, the request is repeated once on a new connection (RFC 9112,
 * section 9.3.1).
 */
export async function sendRequest(request: OutgoingRequest): Promise<IncomingMessage> {
  const { clock, agent, signal } = request;
  const startedAt = clock.monotonic();
  const first = begin(request);
  try {
    return await first.response;
  } catch (error) {
    throwIfAborted(signal);
    const isClosedAtOnce = clock.monotonic() - startedAt <= CLOSED_AT_ONCE_MS;
    if (!first.isReused() || !isClosedAtOnce || !isClosed(error)) throw error;
    // The server has probably closed the other connections, too.
    dropIdle(agent);
    return await begin(request).response;
  }
}

/** Closes the idle connections. */
export function dropIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}

function begin({ url, agent, headers, payload, method = "POST", signal }: OutgoingRequest): {
  readonly response: Promise<IncomingMessage>;
  isReused(): boolean;
} {
  const options: RequestOptions = { agent, headers, method: payload === undefined ? "GET" : method };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { request } = url.protocol === "https:" ? nodeHttps() : nodeHttp();
  const outgoing = request(url, options, resolve);
  // Keep the listener after the response has started, because an error without a listener would end the process.
  outgoing.on("error", reject);
  outgoing.end(payload);
  const abort = whenAborted(signal, () => outgoing.destroy());
  const response = promise.finally(() => abort[Symbol.dispose]());
  return { response, isReused: () => outgoing.reusedSocket };
}

function isClosed(error: unknown): boolean {
  const code: unknown = Reflect.get(Object(error), "code");
  return code === "ECONNRESET" || code === "EPIPE";
}
