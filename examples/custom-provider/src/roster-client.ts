import { ProvisioningError, type Clock } from "@holdfast/core";
import { HttpClient, resolveSecret } from "@holdfast/core/adapter";
import type { RosterParams } from "./roster-params.ts";
import { toStatusError } from "./to-status-error.ts";

export interface RosterRequest {
  /**
   * The ETag of the last known version. The backend responds when its version differs, or with "unchanged" after
   * `waitMs`.
   */
  readonly etag?: string | undefined;
  /** The longest time the backend may wait for another version, in milliseconds. @defaultValue 0 */
  readonly waitMs?: number | undefined;
  readonly signal: AbortSignal;
}

/** `gone`: the known version belongs to a stream that has ended. */
export type RosterResponse =
  | { readonly kind: "members"; readonly body: Uint8Array; readonly etag: string }
  | { readonly kind: "unchanged" }
  | { readonly kind: "gone" };

/**
 * Sends requests to the backend. Every failure is a `ProvisioningError`; an aborted request rejects with the reason of
 * its signal.
 */
export class RosterClient {
  readonly #params: RosterParams;
  readonly #http: HttpClient;

  constructor(params: RosterParams, clock: Clock) {
    this.#params = params;
    this.#http = new HttpClient({ clock });
  }

  async request({ etag, waitMs = 0, signal }: RosterRequest): Promise<RosterResponse> {
    const { url: address, token, maxBytes } = this.#params;
    const url = new URL(address);
    url.searchParams.set("waitMs", String(waitMs));
    const headers: Record<string, string> = { accept: "application/json" };
    if (etag !== undefined) headers["if-none-match"] = etag;
    if (token !== undefined) headers["authorization"] = `Bearer ${await resolveSecret(token, { signal })}`;
    const peer = { name: address, details: { url: address } };
    using response = await this.#http.send({ url, headers, peer, signal });
    // Always read the body, so that the connection can be used again.
    const body = await response.read({ maxBytes });
    if (etag !== undefined && response.status === 304) return { kind: "unchanged" };
    if (etag !== undefined && response.status === 410) return { kind: "gone" };
    if (response.status !== 200) throw toStatusError(response, address);
    const { etag: next } = response.headers;
    if (next !== undefined) return { kind: "members", body, etag: next };
    throw new ProvisioningError("STREAM_INVALID_DATA", `the response from ${address} has no ETag`);
  }

  /** Closes every connection. */
  close(): void {
    this.#http[Symbol.dispose]();
  }
}
