import { OWN_DESCRIPTORS } from "../server-limits.ts";

export interface ConnectionLimitOptions {
  /** What the configuration asks for. */
  readonly wanted: number;
  /** How many descriptors the process may have. */
  readonly descriptors: number;
}

/** Half of the descriptors that the process does not need itself; the other half is for the providers. */
export function fitConnections({ wanted, descriptors }: ConnectionLimitOptions): number {
  return Math.max(Math.min(wanted, Math.floor((descriptors - OWN_DESCRIPTORS) / 2)), 4);
}
