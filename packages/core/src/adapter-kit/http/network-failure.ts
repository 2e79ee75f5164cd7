import type { ErrorCode } from "../../errors/error-codes.ts";

/** The meaning of a failed connection. */
export interface NetworkFailure {
  readonly code: ErrorCode;
  /** The end of a message, such as "refused the connection". */
  readonly failure: string;
}

const REFUSED: NetworkFailure = { code: "CONNECTIVITY_REFUSED", failure: "refused the connection" };
const UNKNOWN_HOST: NetworkFailure = { code: "CONNECTIVITY_REFUSED", failure: "has no known address" };
const UNREACHABLE: NetworkFailure = { code: "CONNECTIVITY_REFUSED", failure: "cannot be reached" };
const TIMED_OUT: NetworkFailure = { code: "CONNECTIVITY_TIMEOUT", failure: "did not respond in time" };
const UNTRUSTED: NetworkFailure = {
  code: "CONNECTIVITY_TLS",
  failure: "is not trusted, or does not trust this client (TLS)",
};
const BROKEN: NetworkFailure = { code: "STREAM_FAILED", failure: "closed the connection unexpectedly" };

// Error codes of libuv, of Node's http and of undici.
const TABLE: Readonly<Record<string, NetworkFailure>> = {
  ECONNREFUSED: REFUSED,
  ENOENT: REFUSED,
  ENOTFOUND: UNKNOWN_HOST,
  EAI_AGAIN: UNKNOWN_HOST,
  EHOSTUNREACH: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  EADDRNOTAVAIL: UNREACHABLE,
  EHOSTDOWN: UNREACHABLE,
  ENETDOWN: UNREACHABLE,
  ETIMEDOUT: TIMED_OUT,
  UND_ERR_CONNECT_TIMEOUT: TIMED_OUT,
  UND_ERR_HEADERS_TIMEOUT: TIMED_OUT,
  UND_ERR_BODY_TIMEOUT: TIMED_OUT,
  ECONNRESET: BROKEN,
  ECONNABORTED: BROKEN,
  EPIPE: BROKEN,
  UND_ERR_SOCKET: BROKEN,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: BROKEN,
  ERR_STREAM_PREMATURE_CLOSE: BROKEN,
};

// X509_V_ERR_* in Node's form. All codes of OpenSSL itself start with ERR_SSL_.
const CERTIFICATE =
  /^(?:ERR_SSL_|ERR_TLS_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|CRL_|EPROTO$)/;

const MAX_DEPTH = 8;

/**
 * Classifies an error of Node's sockets, DNS or TLS, or of undici, and searches `cause` and `AggregateError`. Returns
 * `undefined` for any other error.
 */
export function toNetworkFailure(error: unknown): NetworkFailure | undefined {
  return find(error, MAX_DEPTH);
}

function find(error: unknown, depth: number): NetworkFailure | undefined {
  if (depth === 0 || typeof error !== "object" || error === null) return undefined;
  const code: unknown = Reflect.get(error, "code");
  if (typeof code === "string") {
    if (CERTIFICATE.test(code)) return UNTRUSTED;
    if (Object.hasOwn(TABLE, code)) return TABLE[code];
  }
  const inner = [Reflect.get(error, "cause"), ...(error instanceof AggregateError ? error.errors : [])];
  for (const each of inner) {
    const failure = find(each, depth - 1);
    if (failure !== undefined) return failure;
  }
  return undefined;
}
