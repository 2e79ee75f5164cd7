import type { ErrorCode } from "../../errors/error-codes.ts";
import type { ProviderId } from "../../model/provider-id.ts";

/** The reason why a provider is kept but never activated. */
export interface DisabledReason {
  readonly code: ErrorCode;
  readonly message: string;
}

/** A provider's stored definition. Contains references to secrets, never a secret. */
export interface ProviderDescriptor<P = unknown> {
  readonly id: ProviderId;
  /** The kind of the adapter that reads `params`, for example `file` or `consul`. */
  readonly kind: string;
  /** The healthy provider with the highest priority is active; of equal ones, the one with the smaller id. */
  readonly priority: number;
  readonly params: P;
  /** Present when the provider is Disabled. */
  readonly disabled?: DisabledReason | undefined;
}

/** Orders by highest priority, then by id: the order in which providers are preferred, listed and stored. */
export function compareDescriptors(a: ProviderDescriptor, b: ProviderDescriptor): number {
  return b.priority - a.priority || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}
