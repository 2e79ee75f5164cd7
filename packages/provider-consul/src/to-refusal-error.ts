import { ProvisioningError, type ErrorCode } from "@holdfast/core";
import { toHttpFailure, type HttpPeer } from "@holdfast/core/adapter";

/** A response with another status than 200. */
export interface Refusal {
  readonly status: number;
  /** The beginning of the body. It is only searched for known phrases, and never shown. */
  readonly text: string;
  readonly retryAfterMs?: number | undefined;
  /** `host:port` of the proxy through which the response came. */
  readonly proxy?: string | undefined;
}

/** Phrases in the errors of Consul, with their status (agent/http.go, agent/structs/errors.go, agent/pool). */
const PHRASES: readonly (readonly [status: number, phrase: string, code: ErrorCode, failure: string])[] = [
  [403, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", "does not know the token"],
  [500, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", "does not know the token"],
  [500, "No cluster leader", "CONNECTIVITY_NO_LEADER", "has no leader"],
  [500, "No path to datacenter", "CONNECTIVITY_REFUSED", "has no route to the datacenter"],
  [500, "No known Consul servers", "CONNECTIVITY_UNAVAILABLE", "cannot reach any of its servers"],
  [500, "rpc error getting client", "CONNECTIVITY_UNAVAILABLE", "cannot reach its server"],
  [500, "Permission denied", "CONNECTIVITY_UNAUTHORIZED", "rejected the token"],
];

/** Returns how errors name the Consul at this address. */
export function toPeer(address: string): HttpPeer {
  return { name: `Consul at ${address}`, details: { address } };
}

/** Converts a response with another status than 200 to an error. */
export function toRefusalError(
  { status, text, retryAfterMs, proxy }: Refusal,
  address: string,
): ProvisioningError {
  const phrase = PHRASES.find(([of, words]) => of === status && text.includes(words));
  const { code, failure } =
    phrase === undefined
      ? toHttpFailure(status)
      : { code: phrase[2], failure: `${phrase[3]} (status ${status})` };
  const through = proxy === undefined ? "" : ` (through the proxy ${proxy})`;
  return new ProvisioningError(code, `Consul at ${address}${through} ${failure}`, {
    details: {
      address,
      status,
      ...(proxy !== undefined && { proxy }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    },
  });
}
