import type { EndpointSource } from "./api-client.ts";
import type { EndpointState } from "./endpoint-state.ts";
import { refusesVersion } from "./resume-rules.ts";

export interface VersionCheckOptions {
  readonly client: Pick<EndpointSource, "getJson">;
  readonly state: Pick<EndpointState, "version" | "place">;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/**
 * Whether the server has come to the version. A watch from one that is still to come, as after etcd was restored from a backup, is
 * accepted and says nothing, not even of changes; a list that must not be older is refused (Kubernetes API concepts, "Resource
 * version semantics"). Rejects when the server does not say.
 */
export async function hasReachedVersion(options: VersionCheckOptions): Promise<boolean> {
  const { client, state, withinMs, signal } = options;
  const query = {
    limit: "1",
    // A name that nothing has: the version is all that is asked for.
    fieldSelector: "metadata.name=holdfast-none",
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
