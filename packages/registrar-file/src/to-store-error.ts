import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { describeFileFailure } from "@holdfast/core/adapter";

/** Converts an error of the file system to `STORE_IO`. */
export function toStoreError(error: unknown, folder: string): ProvisioningError {
  if (isProvisioningError(error)) return error;
  const errno: unknown = Reflect.get(Object(error), "code");
  const message = `this process could not be announced in the folder "${folder}": ${describeFileFailure(error)}`;
  return new ProvisioningError("STORE_IO", message, {
    cause: error,
    details: { folder, ...(typeof errno === "string" && { errno }) },
  });
}

export function isErrno(error: unknown, ...codes: readonly string[]): boolean {
  const code: unknown = Reflect.get(Object(error), "code");
  return typeof code === "string" && codes.includes(code);
}
