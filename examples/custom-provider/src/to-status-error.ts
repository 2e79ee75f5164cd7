import { ProvisioningError } from "@holdfast/core";
import { toHttpFailure, type HttpResponse } from "@holdfast/core/adapter";

/** Converts an unexpected status to an error. The failover waits at least `retryAfterMs` before the next request. */
export function toStatusError(
  { status, retryAfterMs }: Pick<HttpResponse, "status" | "retryAfterMs">,
  url: string,
): ProvisioningError {
  const { code, failure } = toHttpFailure(status);
  return new ProvisioningError(code, `${url} ${failure}`, {
    details: { url, status, ...(retryAfterMs !== undefined && { retryAfterMs }) },
  });
}
