import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { ProvisioningError } from "../../errors/provisioning-error.ts";
import { withDetails } from "../../errors/with-details.ts";
import { throwIfAborted, whenAborted } from "../../time/abort.ts";
import { collectBytes, type CollectOptions } from "./collect-bytes.ts";
import { toProxyHost, type HttpProxy } from "./http-proxy.ts";
import { toRequestError, type HttpPeer } from "./to-request-error.ts";

export interface HttpResponseOptions {
  readonly message: IncomingMessage;
  /** From `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  readonly peer: HttpPeer;
  readonly proxy: HttpProxy | undefined;
  readonly signal: AbortSignal;
}

/**
 * A response whose body has not been read yet. The body is read once, by one of the methods, each of which throws what broke the connection
 * as a `ProvisioningError` and the reason of the signal once that has aborted. Dispose of it: an unread rest closes the connection.
 */
export class HttpResponse implements Disposable {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly retryAfterMs: number | undefined;
  /** `host:port` of the proxy on the way, without its credentials. */
  readonly proxy: string | undefined;
  readonly #options: HttpResponseOptions;
  readonly #abort: Disposable;

  constructor(options: HttpResponseOptions) {
    const { message, signal, retryAfterMs, proxy } = options;
    this.#options = options;
    this.status = message.statusCode ?? 0;
    this.headers = message.headers;
    this.retryAfterMs = retryAfterMs;
    this.proxy = proxy === undefined ? undefined : toProxyHost(proxy);
    this.#abort = whenAborted(signal, () => message.destroy());
  }

  /** What errors about the response have in their details: the peer's details, the status, the proxy. */
  get details(): Readonly<Record<string, unknown>> {
    const { status, proxy } = this;
    return { ...this.#options.peer.details, status, ...(proxy !== undefined && { proxy }) };
  }

  /** Throws `STREAM_INVALID_DATA` when the response says that it is not JSON. */
  assertJson(): void {
    if (/^application\/json\b/i.test(this.headers["content-type"] ?? "")) return;
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `the response from ${this.#options.peer.name} is not JSON: it is another kind of server, or something in between answered`,
      { details: this.details },
    );
  }

  /** The whole body. Throws `STREAM_INVALID_DATA` when it is longer than `maxBytes`, and `STREAM_FAILED` when it is cut off. */
  async read(options: CollectOptions): Promise<Buffer> {
    try {
      const body = await collectBytes(this.#options.message, options);
      this.#assertComplete();
      return body;
    } catch (error) {
      throw withDetails(this.#toError(error), this.details);
    }
  }

  /** The body as it arrives. Throws `STREAM_FAILED` when it is cut off. Leaving the loop closes the connection. */
  async *chunks(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* this.#options.message;
      this.#assertComplete();
    } catch (error) {
      throw this.#toError(error);
    }
  }

  /** The first characters of the body, in Latin-1, to look for a known phrase. */
  async readStart(maxBytes: number): Promise<string> {
    let text = "";
    for await (const chunk of this.chunks()) {
      text += Buffer.from(chunk).toString("latin1");
      if (text.length >= maxBytes) break;
    }
    return text.slice(0, maxBytes);
  }

  [Symbol.dispose](): void {
    this.#abort[Symbol.dispose]();
    this.#options.message.destroy();
  }

  /** A connection that is closed in mid-body can end the body without an error; only `complete` shows it. */
  #assertComplete(): void {
    const { message, peer } = this.#options;
    if (message.complete) return;
    throw new ProvisioningError("STREAM_FAILED", `the response from ${peer.name} was cut off`, {
      details: peer.details,
    });
  }

  #toError(error: unknown): ProvisioningError {
    const { signal, peer, proxy } = this.#options;
    throwIfAborted(signal);
    return toRequestError(error, peer, proxy);
  }
}
