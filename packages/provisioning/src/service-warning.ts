import type { ErrorCode, ProviderId, ProvisioningError } from "@holdfast/core";

/** Something that failed no call but that people should know of. */
export interface ServiceWarning {
  readonly code: ErrorCode;
  readonly message: string;
  readonly providerId?: ProviderId | undefined;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export function toWarning({ code, message, details }: ProvisioningError): ServiceWarning {
  const { providerId } = details;
  return { code, message, ...(typeof providerId === "string" && { providerId }), details };
}
