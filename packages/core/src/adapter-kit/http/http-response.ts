import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { ProvisioningError } from "../../errors/provisioning-error.ts";
import { withDetails } from "../../errors/with-details.ts";
import { throwIfAborted, whenAborted } from "../../time/abort.ts";
import { collectBytes, type CollectOptions } from "./collect-bytes.ts";
import { toProxyHost, type HttpProxy } from "./http-proxy.ts";
import { toRequestError, type HttpPeer } from "./to-request-error.ts";

export interface HttpResponseOptions {
  readonly message: IncomingMessage;
  /** The value of `Retry-After`, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  readonly peer: HttpPeer;
  readonly proxy: HttpProxy | undefined;
  readonly signal: AbortSignal;
}

/**
 * A response whose body has not been read yet. The body can be read once, by one of the methods. Each method throws
 * errors of the connection as a `ProvisioningError`, and the reason of the signal when it has aborted. Dispose of the
 * response: if the body was not read to its end, this closes the connection.
 */
export class HttpResponse implements Disposable {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly retryAfterMs: number | undefined;
  /** The proxy as `host:port`, without its credentials. */
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

  /** The details of errors about the response: those of the peer, the status and the proxy. */
  get details(): Readonly<Record<string, unknown>> {
    const { status, proxy } = this;
    return { ...this.#options.peer.details, status, ...(proxy !== undefined && { proxy }) };
  }

  /** Throws `STREAM_INVALID_DATA` when the content type of the response is not JSON. */
  assertJson(): void {
    if (/^application\/json\b/i.test(this.headers["content-type"] ?? "")) return;
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `the response from ${this.#options.peer.name} is not JSON; it may come from another kind of server or from an intermediary`,
      { details: this.details },
    );
  }

  /**
   * Reads the complete body. Throws `STREAM_INVALID_DATA` when it is longer than `maxBytes`, and `STREAM_FAILED` when
   * it ends early.
   */
  async read(options: CollectOptions): Promise<Buffer> {
    try {
      const body = await collectBytes(this.#options.message, options);
      this.#assertComplete();
      return body;
    } catch (error) {
      throw withDetails(this.#toError(error), this.details);
    }
  }

  /**
   * Yields the body as it arrives. Throws `STREAM_FAILED` when it ends early. Leaving the loop closes the connection.
   */
  async *chunks(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* this.#options.message;
      this.#assertComplete();
    } catch (error) {
      throw this.#toError(error);
    }
  }

  /** Returns the first characters of the body, decoded as Latin-1, to search for known phrases. */
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

  /**
   * Throws when the body is incomplete. A connection that is closed in the middle of the body may end it without an
   * error; only `complete` shows it.
   */
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
