import { isProvisioningError, ProvisioningError, toReason } from "@holdfast/core";
import { fieldOf } from "@holdfast/core/adapter";
import type { ApiSource } from "../access/api-client.ts";
import type { WatchTarget } from "../access/watch-target.ts";
import { isOlderVersion } from "./is-older-version.ts";
import { refusesVersion } from "./resume-rules.ts";
import type { WatchPosition } from "./watch-position.ts";

export interface ConsistentReadOptions {
  readonly client: Pick<ApiSource, "getJson">;
  readonly target: WatchTarget;
  /** The version to check, and where it is valid. */
  readonly position: Pick<WatchPosition, "version" | "place">;
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
  const { client, target, position, withinMs, signal } = options;
  const query = { limit: "1", fieldSelector: NO_OBJECT };
  const { place } = position;
  let response: unknown;
  try {
    response = await client.getJson({
      target,
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
      `the response to a list request is not of the kind ${target.resource.listKind}`,
    );
  const isOlder = isOlderVersion(stored, position.version);
  return isOlder === undefined ? hasReachedVersion(options) : !isOlder;
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
  const { client, target, position, withinMs, signal } = options;
  const query = {
    limit: "1",
    fieldSelector: NO_OBJECT,
    resourceVersion: position.version,
    resourceVersionMatch: "NotOlderThan",
  };
  try {
    await client.getJson({ target, verb: "list", query, place: position.place, withinMs, signal });
    return true;
  } catch (error) {
    if (refusesVersion(error)) return false;
    throw error;
  }
}
