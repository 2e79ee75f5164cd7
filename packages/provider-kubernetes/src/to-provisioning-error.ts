import { isProvisioningError, ProvisioningError, type ErrorCode } from "@holdfast/core";
import { toHttpFailure, toNetworkFailure, toSafeCause } from "@holdfast/core/adapter";

/** What an API server answered instead of what was asked for, as HTTP status or as an ERROR event of a watch. */
export interface Refusal {
  readonly status: number;
  readonly retryAfterMs?: number | undefined;
  /** What was asked: `list endpointslices in namespace "x"`. */
  readonly request: string;
}

/** Turns a refusal into our error. 410 is `STREAM_EXPIRED` (Kubernetes API concepts, "410 Gone responses"). */
export function toRefusalError(
  { status, retryAfterMs, request }: Refusal,
  server: string,
): ProvisioningError {
  const http = toHttpFailure(status);
  const code: ErrorCode = status === 410 ? "STREAM_EXPIRED" : http.code;
  const failure = status === 403 ? "does not allow this account to" : `${http.failure} when asked to`;
  return new ProvisioningError(code, `the API server ${server} ${failure} ${request}`, {
    details: { server, status, request, ...(retryAfterMs !== undefined && { retryAfterMs }) },
  });
}

/** Turns whatever broke a request into our error; what is not one of the network's errors is `STREAM_FAILED`. */
export function toProvisioningError(error: unknown, server: string, proxy?: string): ProvisioningError {
  if (isProvisioningError(error)) return error;
  const { code, failure } = toNetworkFailure(error) ?? { code: "STREAM_FAILED", failure: "broke off" };
  const through = proxy === undefined ? "" : ` (through the proxy-url or HTTPS_PROXY ${proxy})`;
  return new ProvisioningError(code, `the API server ${server}${through} ${failure}`, {
    cause: toSafeCause(error),
    details: { server, ...(proxy !== undefined && { proxy }) },
  });
}
