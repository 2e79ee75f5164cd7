import { ProvisioningError, type ErrorCode } from "@holdfast/core";
import { toHttpFailure, type HttpPeer } from "@holdfast/core/adapter";

/** The rejection of a request by an API server, as HTTP status or as an ERROR event of a watch. */
export interface Refusal {
  readonly status: number;
  readonly retryAfterMs?: number | undefined;
  /** The description of the request: `list endpointslices in namespace "x"`. */
  readonly request: string;
}

/** Returns how errors name the API server at this address. */
export function toPeer(server: string): HttpPeer {
  return { name: `the API server ${server}`, details: { server } };
}

/** Converts a rejection to an error. 410 becomes `STREAM_EXPIRED` (Kubernetes API concepts, "410 Gone responses"). */
export function toRefusalError(
  { status, retryAfterMs, request }: Refusal,
  { name, details }: HttpPeer,
): ProvisioningError {
  const http = toHttpFailure(status);
  const code: ErrorCode = status === 410 ? "STREAM_EXPIRED" : http.code;
  const failure = status === 403 ? "does not allow this account to" : `${http.failure} when asked to`;
  return new ProvisioningError(code, `${name} ${failure} ${request}`, {
    details: { ...details, status, request, ...(retryAfterMs !== undefined && { retryAfterMs }) },
  });
}
