import { ProvisioningError, toProvisioningError } from "../errors/provisioning-error.ts";
import { toReason } from "../errors/reason.ts";

/**
 * Converts the error of a probe. A connection that fails during a probe counts as refused: `STREAM_FAILED`, and errors
 * that are not `ProvisioningError`s, become `CONNECTIVITY_REFUSED`.
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
