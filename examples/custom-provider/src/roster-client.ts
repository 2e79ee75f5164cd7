import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { ProvisioningError, throwIfAborted, type Clock } from "@holdfast/core";
import { collectBytes, parseRetryAfter, resolveSecret } from "@holdfast/core/adapter";
import type { RosterParams } from "./roster-params.ts";
import { toProvisioningError, toStatusError } from "./to-provisioning-error.ts";

export interface RosterRequest {
  /** Of the version that is known already: the answer is another one, or "unchanged" after `waitMs`. */
  readonly etag?: string | undefined;
  /** Milliseconds. @defaultValue 0 */
  readonly waitMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** `gone`: the version that is known belongs to a stream that is over. */
export type RosterAnswer =
  | { readonly kind: "members"; readonly body: Uint8Array; readonly etag: string }
  | { readonly kind: "unchanged" }
  | { readonly kind: "gone" };

/** Asks the backend. Every failure is a `ProvisioningError`; an aborted request rejects as its signal says. */
export class RosterClient {
  readonly #params: RosterParams;
  readonly #clock: Clock;
  readonly #agent: HttpAgent;

  constructor(params: RosterParams, clock: Clock) {
    this.#params = params;
    this.#clock = clock;
    const Agent = params.url.startsWith("https:") ? HttpsAgent : HttpAgent;
    this.#agent = new Agent({ keepAlive: true });
  }

  async ask({ etag, waitMs = 0, signal }: RosterRequest): Promise<RosterAnswer> {
    const { url, maxBytes } = this.#params;
    try {
      const response = await this.#send(waitMs, etag, signal);
      const { statusCode = 0, headers } = response;
      if (etag !== undefined && statusCode === 304) return discard(response, "unchanged");
      if (etag !== undefined && statusCode === 410) return discard(response, "gone");
      if (statusCode !== 200) {
        response.destroy();
        throw toStatusError(statusCode, parseRetryAfter(headers["retry-after"], this.#clock.now()), url);
      }
      const body = await collectBytes(response, { maxBytes });
      // A connection that is closed in mid-body may end it as if it were whole.
      if (!response.complete)
        throw new ProvisioningError("STREAM_FAILED", `the answer of ${url} was cut off`);
      if (headers.etag === undefined) {
        throw new ProvisioningError("STREAM_INVALID_DATA", `the answer of ${url} has no ETag`);
      }
      return { kind: "members", body, etag: headers.etag };
    } catch (error) {
      throwIfAborted(signal);
      throw toProvisioningError(error, url);
    }
  }

  /** Closes every connection. */
  close(): void {
    this.#agent.destroy();
  }

  async #send(waitMs: number, etag: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(this.#params.url);
    url.searchParams.set("waitMs", String(waitMs));
    const headers: Record<string, string> = { accept: "application/json" };
    if (etag !== undefined) headers["if-none-match"] = etag;
    const { token } = this.#params;
    if (token !== undefined) headers["authorization"] = `Bearer ${await resolveSecret(token, { signal })}`;
    throwIfAborted(signal);
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const request = url.protocol === "https:" ? requestHttps : requestHttp;
    // The listener stays: what breaks the connection later, the body's reader is told, too.
    request(url, { agent: this.#agent, headers, signal }, resolve).on("error", reject).end();
    return await promise;
  }
}

function discard<K extends "unchanged" | "gone">(response: IncomingMessage, kind: K): { readonly kind: K } {
  response.resume(); // so that the connection can be used again
  return { kind };
}
