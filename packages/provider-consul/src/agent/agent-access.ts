import type { TlsFiles } from "@holdfast/core/adapter";

/** How to reach an agent. Users with an equal access share their connections. */
export interface AgentAccess {
  readonly addresses: readonly string[];
  readonly tls?: TlsFiles | undefined;
  readonly maxBlockingQueries: number;
}

/**
 * Returns a text that is equal for equal addresses, in the same order, and equal TLS files. The token is not part of it:
 * it is sent with each request, and the agent counts connections by client address, whatever tokens they use.
 */
export function toAgentKey({ addresses, tls = {} }: AgentAccess): string {
  const { caFile, certFile, keyFile, serverName } = tls;
  const files = [caFile, certFile, keyFile, serverName].map((value) => value ?? null);
  return JSON.stringify([addresses.map(toOrigin), files]);
}

/** Returns the address without a path and without the port that its scheme implies. */
export function toOrigin(address: string): string {
  return new URL(address).origin;
}
