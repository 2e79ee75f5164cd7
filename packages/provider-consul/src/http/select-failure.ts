import { toReason, ProvisioningError, type ErrorCode } from "@holdfast/core";

/** A failure of one of several addresses. */
export interface AddressFailure {
  readonly address: string;
  readonly error: ProvisioningError;
}

/** The codes, from the one that explains a failure best to the one that explains it least. A code that is not listed ranks first. */
const ORDER: readonly ErrorCode[] = [
  "STREAM_STALE",
  "CONNECTIVITY_NO_LEADER",
  "CONNECTIVITY_TLS",
  "CONNECTIVITY_OVERLOADED",
  "CONNECTIVITY_UNAVAILABLE",
  "STREAM_FAILED",
  "CONNECTIVITY_TIMEOUT",
  "CONNECTIVITY_REFUSED",
];

/** Returns the failure that explains most. `details.addresses` lists the code of the failure for each address. */
export function selectFailure(failures: readonly AddressFailure[]): ProvisioningError {
  const ranked = failures.toSorted((a, b) => ORDER.indexOf(a.error.code) - ORDER.indexOf(b.error.code));
  const { error } = ranked[0]!;
  if (failures.length === 1) return error;
  const { code, retryable, cause } = error;
  return new ProvisioningError(code, `${toReason(error).message} (${failures.length} addresses were tried)`, {
    retryable,
    ...(cause !== undefined && { cause }),
    details: {
      ...error.details,
      addresses: failures.map((failure) => ({ address: failure.address, code: failure.error.code })),
    },
  });
}
