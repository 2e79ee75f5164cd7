import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { describeFileFailure } from "@holdfast/core/adapter";
import { MAX_BYTES } from "./file-system.ts";

/**
 * Returns `STORE_IO` for an error of a system call, with the call and the code, and `LIFECYCLE_INTERNAL` for any other
 * error, which is a bug. `setting` is the name of the setting that decides the path.
 */
export function toStoreError(error: unknown, file: string, setting?: string): ProvisioningError {
  if (isProvisioningError(error)) return error;
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    const operation = "syscall" in error && typeof error.syscall === "string" ? error.syscall : "access";
    const hint = setting === undefined ? "" : `; its path is set by "${setting}"`;
    return new ProvisioningError(
      "STORE_IO",
      `"${file}" failed at ${operation} with ${error.code}: ${describeFileFailure(error)}${hint}`,
      {
        details: { file, operation, code: error.code, ...(setting !== undefined && { setting }) },
        cause: error,
      },
    );
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
  return new ProvisioningError("STORE_CONFLICT", `"${file}" was changed by another process; load it again`, {
    details: { file },
  });
}
