import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { MAX_BYTES } from "./file-system.ts";

/** `STORE_IO` for what the system reported, with its call and code; anything else is a bug of ours. */
export function toStoreError(error: unknown, file: string): ProvisioningError {
  if (isProvisioningError(error)) return error;
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    const operation = "syscall" in error && typeof error.syscall === "string" ? error.syscall : "access";
    return new ProvisioningError("STORE_IO", `"${file}" failed at ${operation} with ${error.code}`, {
      details: { file, operation, code: error.code },
      cause: error,
    });
  }
  return new ProvisioningError("LIFECYCLE_INTERNAL", `storing "${file}" failed unexpectedly`, {
    cause: error,
  });
}

export function toTooLargeError(bytes: number): ProvisioningError {
  return new ProvisioningError(
    "VALIDATION_MALFORMED",
    `the set would be a file of more than ${MAX_BYTES} bytes`,
    {
      details: { bytes, maxBytes: MAX_BYTES },
    },
  );
}

export function toChangedError(file: string): ProvisioningError {
  return new ProvisioningError("STORE_CONFLICT", `"${file}" was changed by somebody else; load it again`, {
    details: { file },
  });
}
