import type { ApiClient } from "./api-client.ts";
import { toListPage } from "../wire/list-page.ts";

export interface ProbeClusterOptions {
  readonly client: ApiClient;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/**
 * Checks that the API server responds, and that this account may list and watch the EndpointSlices. Rejects with
 * `CONNECTIVITY_*`, or with `STREAM_INVALID_DATA` when it is not an API server.
 */
export async function probeCluster({ client, withinMs, signal }: ProbeClusterOptions): Promise<void> {
  const response = await client.getJson({ verb: "list", query: { limit: "1" }, withinMs, signal });
  const { resourceVersion } = toListPage(response);
  const query = { watch: "1", resourceVersion, timeoutSeconds: "1" };
  // The probe only needs to know that the watch starts. Leaving the loop ends the watch.
  for await (const _ of client.getEvents({ verb: "watch", query, withinMs, signal })) return;
}
