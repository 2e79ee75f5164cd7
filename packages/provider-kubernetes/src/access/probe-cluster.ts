import type { ApiClient } from "./api-client.ts";
import { toListPage } from "../wire/list-page.ts";

export interface ProbeClusterOptions {
  readonly client: ApiClient;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/**
 * Proves that the API server answers, and that this account may list and watch the EndpointSlices asked for. Rejects with
 * `CONNECTIVITY_*`, or `STREAM_INVALID_DATA` where it is no API server.
 */
export async function probeCluster({ client, withinMs, signal }: ProbeClusterOptions): Promise<void> {
  const answer = await client.getJson({ verb: "list", query: { limit: "1" }, withinMs, signal });
  const { resourceVersion } = toListPage(answer);
  const query = { watch: "1", resourceVersion, timeoutSeconds: "1" };
  // That it begins is all there is to know; leaving the loop ends it.
  for await (const _ of client.getEvents({ verb: "watch", query, withinMs, signal })) return;
}
