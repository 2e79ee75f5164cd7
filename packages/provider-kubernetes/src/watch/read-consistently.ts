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

/** Selects an object that does not exist, so that a read costs the server only one key. */
const NO_OBJECT = "metadata.name=holdfast-none";

/**
 * Checks that the API server can read its storage, and that the storage has reached the version. An API server that has
 * lost its etcd serves watches, and lists with a version, from its cache. For a list without a version it must ask etcd
 * for a quorum (Kubernetes API concepts, "Semantics for get and list").
 *
 * Returns false when the storage is older than the version, as after etcd was restored from a backup: a server accepts
 * a watch from a version in the future, but sends no changes. Throws `STREAM_STALE` when the server cannot read its
 * storage.
 */
export async function readConsistently(options: ConsistentReadOptions): Promise<boolean> {
  const { client, state, withinMs, signal } = options;
  const query = { limit: "1", fieldSelector: NO_OBJECT };
  const { place } = state;
  let response: unknown;
  try {
    response = await client.getJson({
      verb: "list",
      query,
      place,
      isSingleNamespace: true,
      withinMs,
      lateCode: "STREAM_STALE",
      signal,
    });
  } catch (error) {
    // The version belongs to another server.
    if (isProvisioningError(error) && error.code === "STREAM_EXPIRED") return false;
    throw toStale(error);
  }
  const stored = fieldOf(fieldOf(response, "metadata"), "resourceVersion");
  if (typeof stored !== "string" || stored === "")
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      "the response to a list request is not an EndpointSliceList",
    );
  // Versions in the storage of the API server are revisions of etcd, which are increasing numbers.
  if (isNumber(stored) && isNumber(state.version)) return BigInt(stored) >= BigInt(state.version);
  return hasReachedVersion(options);
}

function isNumber(version: string): boolean {
  return /^\d{1,40}$/.test(version);
}

/**
 * Converts a server error or a missing response to `STREAM_STALE`: the server responds to watches but cannot read its
 * storage.
 */
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

/**
 * Checks versions that cannot be compared as numbers: a server that has not reached the version rejects a list that
 * must not be older than the version.
 */
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
