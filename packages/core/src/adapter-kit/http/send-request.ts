import type { Agent, IncomingMessage, OutgoingHttpHeaders, RequestOptions } from "node:http";
import { throwIfAborted, whenAborted } from "../../time/abort.ts";
import type { Clock } from "../../time/clock.ts";
import { nodeHttp, nodeHttps } from "./node-http.ts";

export interface OutgoingRequest {
  readonly url: URL;
  readonly agent: Agent;
  readonly headers: OutgoingHttpHeaders;
  /** Sent by POST; a GET without it. */
  readonly payload: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A connection that is closed this soon, in milliseconds, was closed before the server read the request. */
const CLOSED_AT_ONCE_MS = 1_000;

/**
 * Sends a request that is safe to repeat and resolves with the head of the response. A kept connection that the server closes just as
 * it is used again is replaced once, by a new one (RFC 9112, section 9.3.1).
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
    // The server has most likely closed the others as well.
    dropIdle(agent);
    return await begin(request).response;
  }
}

/** Closes the connections that are kept for later requests. */
export function dropIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}

function begin({ url, agent, headers, payload, signal }: OutgoingRequest): {
  readonly response: Promise<IncomingMessage>;
  isReused(): boolean;
} {
  const options: RequestOptions = { agent, headers, method: payload === undefined ? "GET" : "POST" };
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { request } = url.protocol === "https:" ? nodeHttps() : nodeHttp();
  const outgoing = request(url, options, resolve);
  // Also after the response has begun: an error without a listener would end the process.
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
