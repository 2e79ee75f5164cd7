import type { OutgoingHttpHeaders } from "node:http";
import { withDetails } from "../../errors/with-details.ts";
import { throwIfAborted } from "../../time/abort.ts";
import type { Clock } from "../../time/clock.ts";
import { ConnectionPool, type TlsMaterial } from "./connection-pool.ts";
import type { HttpProxy, ProxyAgentFactories } from "./http-proxy.ts";
import { HttpResponse } from "./http-response.ts";
import { parseRetryAfter } from "./retry-after.ts";
import { sendRequest } from "./send-request.ts";
import { toProxyRefusal, toRequestError, type HttpPeer } from "./to-request-error.ts";

/** A request that is safe to repeat. */
export interface HttpRequest {
  readonly url: URL;
  /** A header with several values is sent once for each of them. */
  readonly headers: OutgoingHttpHeaders;
  /** Sent with `method`. Without a payload the method is GET. */
  readonly payload?: string | undefined;
  /** The method for a payload. The content type belongs to `headers`. @defaultValue "POST" */
  readonly method?: "POST" | "PATCH" | undefined;
  readonly proxy?: HttpProxy | undefined;
  /** The TLS material for https. Read its files again for every request, so that certificates can be replaced. */
  readonly tls?: TlsMaterial | undefined;
  /** The server that errors name. */
  readonly peer: HttpPeer;
  /** Aborts the request and the reading of its response. For a deadline, use `createDeadline`. */
  readonly signal: AbortSignal;
}

export interface HttpClientOptions {
  readonly clock: Clock;
  /** @defaultValue only http and https proxies */
  readonly otherProxies?: ProxyAgentFactories | undefined;
}

/**
 * Sends requests with connections that are kept open. A request is repeated once, on a new connection, when the server
 * closes its kept connection at the moment it is used. Redirects are not followed. Proxies of the environment are used
 * only if they are passed in.
 */
export class HttpClient implements Disposable {
  readonly #clock: Clock;
  readonly #pool: ConnectionPool;

  constructor({ clock, otherProxies }: HttpClientOptions) {
    this.#clock = clock;
    this.#pool = new ConnectionPool(otherProxies);
  }

  /**
   * Resolves when the headers of the response have arrived, with any status. Rejects with a `CONNECTIVITY_*` or
   * `STREAM_FAILED` error, or with the reason of the signal.
   */
  async send(request: HttpRequest): Promise<HttpResponse> {
    const { url, headers, payload, method, proxy, tls, peer, signal } = request;
    try {
      const agent = await this.#pool.get({ isTls: url.protocol === "https:", proxy, tls });
      throwIfAborted(signal);
      const clock = this.#clock;
      const message = await sendRequest({ url, agent, headers, payload, method, clock, signal });
      const retryAfterMs = parseRetryAfter(message.headers["retry-after"], clock.now());
      const response = new HttpResponse({ message, retryAfterMs, peer, proxy, signal });
      if (proxy === undefined || response.status !== 407) return response;
      response[Symbol.dispose]();
      throw toProxyRefusal(407, peer, proxy);
    } catch (error) {
      throwIfAborted(signal);
      throw withDetails(toRequestError(error, peer, proxy), peer.details);
    }
  }

  /** Closes every connection. */
  [Symbol.dispose](): void {
    this.#pool[Symbol.dispose]();
  }
}
