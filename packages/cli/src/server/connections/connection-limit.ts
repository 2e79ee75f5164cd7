import { OWN_DESCRIPTORS } from "../server-limits.ts";

export interface ConnectionLimitOptions {
  /** The number in the configuration. */
  readonly wanted: number;
  /** Maximum number of descriptors of the process. */
  readonly descriptors: number;
}

/**
 * Limits connections to half of the descriptors that the process does not need itself. The other half is for the
 * providers.
 */
export function fitConnections({ wanted, descriptors }: ConnectionLimitOptions): number {
  return Math.max(Math.min(wanted, Math.floor((descriptors - OWN_DESCRIPTORS) / 2)), 4);
}
