import { ProvisioningError, toReason, type Reason } from "@holdfast/core";
import type { ConsulResponse } from "../http/consul-client.ts";

export interface StalenessLimits {
  /** Up to this age, in milliseconds, content counts as current if its server knows the leader. */
  readonly freshMs: number;
  /** Content older than this, in milliseconds, is an error. */
  readonly maxStaleMs: number | "any";
}

/**
 * Returns the maximum age of the content of a response, in milliseconds: the time since the server last had contact
 * with its leader (`X-Consul-LastContact`), plus the time since a cache on the way stored it (`Age`). Returns
 * `undefined` when the server does not know its leader and does not report an age.
 */
export function readAgeMs({ headers }: Pick<ConsulResponse, "headers">): number | undefined {
  const contact = toNumber(headers["x-consul-lastcontact"]);
  if (contact === undefined && !knowsLeader({ headers })) return undefined;
  return (contact ?? 0) + (toNumber(headers["age"]) ?? 0) * 1_000;
}

/** False when the server knows no leader. Its response is then not known to be current, however recent its last contact was. */
export function knowsLeader({ headers }: Pick<ConsulResponse, "headers">): boolean {
  return headers["x-consul-knownleader"] !== "false";
}

/** True when the response comes from a cache between this process and the server. */
export function isFromCache({ headers }: Pick<ConsulResponse, "headers">): boolean {
  return (toNumber(headers["age"]) ?? 0) > 0;
}

/**
 * True when a streaming agent (Consul 1.10 and newer) sent the response from its local view. It does so even when it
 * cannot reach a server, so an unchanged response confirms nothing.
 */
export function isFromView({ headers }: Pick<ConsulResponse, "headers">): boolean {
  return headers["x-consul-query-backend"] === "streaming";
}

/**
 * Returns the reason why the content of a response may be out of date; `undefined` when it is current. This depends on
 * what the server reports, not on the requested mode: an agent with `discovery_max_stale` sends stale content also for
 * default queries. Throws `STREAM_STALE` for content older than `maxStaleMs`.
 */
export function findStaleness(response: ConsulResponse, limits: StalenessLimits): Reason | undefined {
  const { freshMs, maxStaleMs } = limits;
  const hasLeader = knowsLeader(response);
  const ageMs = readAgeMs(response);
  const isTooOld = maxStaleMs !== "any" && (ageMs ?? Number.POSITIVE_INFINITY) > maxStaleMs;
  if (hasLeader && !isTooOld && ageMs !== undefined && ageMs <= freshMs) return undefined;
  const { address } = response;
  const age = ageMs === undefined ? "an unknown time" : `${(ageMs / 1_000).toFixed(1)} s`;
  const state = hasLeader
    ? "has had no contact with its leader"
    : "has no leader, and has had no contact with one";
  const error = new ProvisioningError("STREAM_STALE", `Consul at ${address} ${state} for ${age}`, {
    details: { address, ageMs: ageMs ?? null, hasLeader, maxStaleMs },
  });
  if (isTooOld) throw error;
  return toReason(error);
}

function toNumber(header: string | string[] | undefined): number | undefined {
  const value = typeof header === "string" && header !== "" ? Number(header) : Number.NaN;
  return Number.isFinite(value) ? Math.max(value, 0) : undefined;
}
