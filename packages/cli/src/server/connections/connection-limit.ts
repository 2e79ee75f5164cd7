import { CONNECTIONS_BESIDES_EVENTS, OWN_DESCRIPTORS } from "../server-limits.ts";

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

export interface FollowerLimitOptions {
  /** The number in the configuration. */
  readonly wanted: number;
  /** Maximum number of connections. */
  readonly connections: number;
}

/**
 * Limits followers of events, whose connections are never closed for a new one, so that connections are left for single requests, such as
 * health checks: those of `CONNECTIONS_BESIDES_EVENTS`, or a quarter of all when there are few.
 */
export function fitFollowers({ wanted, connections }: FollowerLimitOptions): number {
  const others = Math.min(CONNECTIONS_BESIDES_EVENTS, Math.ceil(connections / 4));
  return Math.min(wanted, connections - others);
}
