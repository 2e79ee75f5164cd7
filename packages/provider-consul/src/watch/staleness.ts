import { ProvisioningError, toReason, type Reason } from "@holdfast/core";
import type { ConsulAnswer } from "../http/consul-client.ts";

export interface StalenessLimits {
  /** Up to this age, in milliseconds, a server that knows its leader vouches for its content. */
  readonly freshMs: number;
  /** Older content is refused. */
  readonly maxStaleMs: number | "any";
}

/**
 * How many milliseconds old the content of a response may be: since the server last heard of its leader (`X-Consul-LastContact`), and
 * since a cache on the way stored it (`Age`). `undefined` when the server does not know its leader and does not report an age.
 */
export function readAgeMs({ headers }: Pick<ConsulAnswer, "headers">): number | undefined {
  const contact = toNumber(headers["x-consul-lastcontact"]);
  if (contact === undefined && !knowsLeader({ headers })) return undefined;
  return (contact ?? 0) + (toNumber(headers["age"]) ?? 0) * 1_000;
}

/** False when the server knows no leader. Its response is then not known to be current, however recent its last contact was. */
export function knowsLeader({ headers }: Pick<ConsulAnswer, "headers">): boolean {
  return headers["x-consul-knownleader"] !== "false";
}

/** True when the response comes from a cache between this process and the server. */
export function isFromCache({ headers }: Pick<ConsulAnswer, "headers">): boolean {
  return (toNumber(headers["age"]) ?? 0) > 0;
}

/**
 * A streaming agent (Consul 1.10 and newer) answers a blocking query from a view of its own, also while it reaches no server: an
 * unchanged answer from there proves nothing.
 */
export function isFromView({ headers }: Pick<ConsulAnswer, "headers">): boolean {
  return headers["x-consul-query-backend"] === "streaming";
}

/**
 * Why the content of a response may be out of date; `undefined` when the server vouches for it. This is decided by what the server
 * reports, not by what was asked for: an agent with `discovery_max_stale` answers default queries with stale content, too. Throws
 * `STREAM_STALE` for content older than `maxStaleMs`.
 */
export function findStaleness(answer: ConsulAnswer, limits: StalenessLimits): Reason | undefined {
  const { freshMs, maxStaleMs } = limits;
  const hasLeader = knowsLeader(answer);
  const ageMs = readAgeMs(answer);
  const isTooOld = maxStaleMs !== "any" && (ageMs ?? Number.POSITIVE_INFINITY) > maxStaleMs;
  if (hasLeader && !isTooOld && ageMs !== undefined && ageMs <= freshMs) return undefined;
  const { address } = answer;
  const age = ageMs === undefined ? "an unknown time" : `${(ageMs / 1_000).toFixed(1)} s`;
  const state = hasLeader ? "has not heard of its leader" : "has no leader, and has not heard of one";
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
