import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { toHttpFailure, toNetworkFailure } from "@holdfast/core/adapter";

/** An answer with a status that was not wanted. The fail-over waits at least `retryAfterMs` before it asks again. */
export function toStatusError(
  status: number,
  retryAfterMs: number | undefined,
  url: string,
): ProvisioningError {
  const { code, failure } = toHttpFailure(status);
  return new ProvisioningError(code, `${url} ${failure}`, {
    details: { url, status, ...(retryAfterMs !== undefined && { retryAfterMs }) },
  });
}

/** Whatever else broke a request. */
export function toProvisioningError(error: unknown, url: string): ProvisioningError {
  if (isProvisioningError(error)) return error;
  const { code, failure } = toNetworkFailure(error) ?? { code: "STREAM_FAILED", failure: "broke off" };
  return new ProvisioningError(code, `${url} ${failure}`, { cause: error, details: { url } });
}
