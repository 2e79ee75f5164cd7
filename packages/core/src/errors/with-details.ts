import { ProvisioningError } from "./provisioning-error.ts";
import { toReason } from "./reason.ts";

/** The same error with more details; those it has already win. */
export function withDetails(
  error: ProvisioningError,
  details: Readonly<Record<string, unknown>>,
): ProvisioningError {
  const { code, retryable, cause } = error;
  return new ProvisioningError(code, toReason(error).message, {
    retryable,
    ...(cause !== undefined && { cause }),
    details: { ...details, ...error.details },
  });
}
