import type { ProvisioningError } from "@holdfast/core";

/** Whether it is the caller that was refused, not the request: the next address would only receive the credentials as well. */
export function isAboutCredentials({ code }: ProvisioningError): boolean {
  return (
    code === "CONNECTIVITY_UNAUTHORIZED" ||
    code === "CONNECTIVITY_UNKNOWN_TOKEN" ||
    code === "CONNECTIVITY_SECRET_UNAVAILABLE"
  );
}
