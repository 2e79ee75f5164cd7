/** One request to a daemon. */
export interface TransportRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the request and the body. */
  readonly signal: AbortSignal;
}

export interface TransportResponse {
  readonly status: number;
  /** The value of a header, whatever its case; undefined when it is absent. */
  header(name: string): string | undefined;
  /** The body as it arrives. Throws when the connection breaks. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends a GET request. Rejects with a `CONNECTIVITY_*` error when there is no response, and as the signal aborts. */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>;
