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
  /** Sent by POST. @defaultValue none, and a GET */
  readonly payload?: string | undefined;
  readonly proxy?: HttpProxy | undefined;
  /** For https. Read the files again for every request, so that certificates can be replaced. */
  readonly tls?: TlsMaterial | undefined;
  /** Whom errors name. */
  readonly peer: HttpPeer;
  /** Ends the request, and the reading of its response. A deadline is a signal: see `createDeadline`. */
  readonly signal: AbortSignal;
}

export interface HttpClientOptions {
  readonly clock: Clock;
  /** @defaultValue only http and https proxies */
  readonly otherProxies?: ProxyAgentFactories | undefined;
}

/**
 * Sends requests over connections that are kept alive. A request whose kept connection is closed by the server just as it is used again is
 * repeated once, on a new one. Redirects are not followed, and the proxies of the environment are not used by themselves.
 */
export class HttpClient implements Disposable {
  readonly #clock: Clock;
  readonly #pool: ConnectionPool;

  constructor({ clock, otherProxies }: HttpClientOptions) {
    this.#clock = clock;
    this.#pool = new ConnectionPool(otherProxies);
  }

  /**
   * Resolves once the head of the response has arrived, whatever its status. Rejects with a `CONNECTIVITY_*` or `STREAM_FAILED` error, or with the
   * reason of the signal.
   */
  async send({ url, headers, payload, proxy, tls, peer, signal }: HttpRequest): Promise<HttpResponse> {
    try {
      const agent = await this.#pool.get({ isTls: url.protocol === "https:", proxy, tls });
      throwIfAborted(signal);
      const clock = this.#clock;
      const message = await sendRequest({ url, agent, headers, payload, clock, signal });
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
