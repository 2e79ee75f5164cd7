import type { ErrorCode, ProviderId, ProvisioningError } from "@holdfast/core";

/** A problem that did not make a call fail, but that an operator should know about. */
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
