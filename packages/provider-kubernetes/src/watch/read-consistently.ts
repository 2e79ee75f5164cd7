import { isProvisioningError, ProvisioningError, toReason } from "@holdfast/core";
import { fieldOf } from "@holdfast/core/adapter";
import type { EndpointSource } from "../access/api-client.ts";
import type { EndpointState } from "./endpoint-state.ts";
import { refusesVersion } from "./resume-rules.ts";

export interface ConsistentReadOptions {
  readonly client: Pick<EndpointSource, "getJson">;
  readonly state: Pick<EndpointState, "version" | "place">;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/** The name of an object that does not exist: a read of it costs the server one key. */
const NO_OBJECT = "metadata.name=holdfast-none";

/**
 * Proves that the API server still has its storage, and that this has come to the version. An API server that has lost its etcd
 * answers watches, and lists that name a version, from its cache; a list without a version has to ask etcd for a quorum (Kubernetes
 * API concepts, "Semantics for get and list").
 *
 * False when the storage is older than the version, as after etcd was restored from a backup: a watch from a version that is still to
 * come is accepted, and silent also about changes. Throws `STREAM_STALE` when the server cannot read its storage.
 */
export async function readConsistently(options: ConsistentReadOptions): Promise<boolean> {
  const { client, state, withinMs, signal } = options;
  const query = { limit: "1", fieldSelector: NO_OBJECT };
  const { place } = state;
  let answer: unknown;
  try {
    answer = await client.getJson({
      verb: "list",
      query,
      place,
      isSingleNamespace: true,
      withinMs,
      lateCode: "STREAM_STALE",
      signal,
    });
  } catch (error) {
    // It is another server's version.
    if (isProvisioningError(error) && error.code === "STREAM_EXPIRED") return false;
    throw toStale(error);
  }
  const stored = fieldOf(fieldOf(answer, "metadata"), "resourceVersion");
  if (typeof stored !== "string" || stored === "")
    throw new ProvisioningError("STREAM_INVALID_DATA", "the answer to a list is not an EndpointSliceList");
  // Versions of the API server's own storage are revisions of etcd, which are numbers and grow.
  if (isNumber(stored) && isNumber(state.version)) return BigInt(stored) >= BigInt(state.version);
  return hasReachedVersion(options);
}

function isNumber(version: string): boolean {
  return /^\d{1,40}$/.test(version);
}

/** A server error, or no answer to this while watches are answered: it cannot read its storage. */
function toStale(error: unknown): unknown {
  if (!isProvisioningError(error)) return error;
  const { status } = error.details;
  const isServerError = typeof status === "number" && status >= 500;
  if (!isServerError && error.code !== "STREAM_STALE") return error;
  return new ProvisioningError(
    "STREAM_STALE",
    `the API server cannot read its storage, so its content may be old: ${toReason(error).message}`,
    { details: error.details },
  );
}

/** For versions that cannot be compared: a list that must not be older than the version is refused by a server that has not come to it. */
async function hasReachedVersion(options: ConsistentReadOptions): Promise<boolean> {
  const { client, state, withinMs, signal } = options;
  const query = {
    limit: "1",
    fieldSelector: NO_OBJECT,
    resourceVersion: state.version,
    resourceVersionMatch: "NotOlderThan",
  };
  try {
    await client.getJson({ verb: "list", query, place: state.place, withinMs, signal });
    return true;
  } catch (error) {
    if (refusesVersion(error)) return false;
    throw error;
  }
}
