import { toListPage } from "../wire/list-page.ts";
import type { ApiSource } from "./api-client.ts";
import type { WatchTarget } from "./watch-target.ts";

export interface ProbeClusterOptions {
  readonly client: ApiSource;
  readonly target: WatchTarget;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/**
 * Checks that the API server responds, and that this account may list and watch the target. Rejects with
 * `CONNECTIVITY_*`, or with `STREAM_INVALID_DATA` when it is not an API server.
 */
export async function probeCluster(options: ProbeClusterOptions): Promise<void> {
  const { client, target, withinMs, signal } = options;
  const response = await client.getJson({ target, verb: "list", query: { limit: "1" }, withinMs, signal });
  const { resourceVersion } = toListPage(response, target.resource.listKind);
  const query = { watch: "1", resourceVersion, timeoutSeconds: "1" };
  // The probe only needs to know that the watch starts. Leaving the loop ends the watch.
  for await (const _ of client.getEvents({ target, verb: "watch", query, withinMs, signal })) return;
}
