import { ProvisioningError, toProvisioningError } from "../errors/provisioning-error.ts";
import { toReason } from "../errors/reason.ts";

/**
 * What a probe rejects with: a connection that broke before it proved anything is as good as none, so `STREAM_FAILED`, and
 * what is not ours, becomes `CONNECTIVITY_REFUSED`.
 */
export function toProbeError(error: unknown): ProvisioningError {
  const failure = toProvisioningError(error, "CONNECTIVITY_REFUSED", "the probe failed");
  if (failure.code !== "STREAM_FAILED") return failure;
  const { details } = failure;
  return new ProvisioningError("CONNECTIVITY_REFUSED", `the probe failed: ${toReason(failure).message}`, {
    cause: failure,
    details,
  });
}
