import { isProvisioningError, ProvisioningError } from "@holdfast/core";

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

export function toChangedError(file: string): ProvisioningError {
  return new ProvisioningError("STORE_CONFLICT", `"${file}" was changed by somebody else; load it again`, {
    details: { file },
  });
}
