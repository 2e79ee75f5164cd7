import type { ProvisioningError } from "@holdfast/core";

/** Whether the credentials caused the failure. The request is then not sent to the next address, which would receive the same credentials. */
export function isAboutCredentials({ code }: ProvisioningError): boolean {
  return (
    code === "CONNECTIVITY_UNAUTHORIZED" ||
    code === "CONNECTIVITY_UNKNOWN_TOKEN" ||
    code === "CONNECTIVITY_SECRET_UNAVAILABLE"
  );
}
