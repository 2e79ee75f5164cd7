import {
  createSnapshot,
  type ProviderContext,
  type ProviderDescriptor,
  type SourceEvent,
} from "@holdfast/core";
import type { ConsulSettings } from "../consul-params.ts";
import type { ConsulSource } from "../http/consul-client.ts";
import { BlockingWatch, type ReceivedContent } from "./blocking-watch.ts";
import type { HealthContent } from "./health-body.ts";
import { ServiceQuery } from "./service-query.ts";

export interface ServiceWatchOptions {
  readonly descriptor: ProviderDescriptor<ConsulSettings>;
  readonly context: ProviderContext;
  readonly client: ConsulSource;
  /** The highest index that a watch of this provider has received; updated by each watch. */
  readonly newest: { index: number };
  readonly signal: AbortSignal;
}

/** Watches a service. Errors after its signal has aborted are ignored. */
export async function* watchService(options: ServiceWatchOptions): AsyncGenerator<SourceEvent, void> {
  const { descriptor, context, client, newest, signal } = options;
  const { params } = descriptor;
  const query = new ServiceQuery({ params, context, client, signal });
  const watch = new BlockingWatch({ query, settings: params, context, client, newest, signal });
  for await (const event of watch.events())
    yield event.type === "content" ? toSnapshotEvent(event, descriptor) : event;
}

function toSnapshotEvent(
  { content, index, observedAt, ageMs, held }: ReceivedContent<HealthContent>,
  { id, params }: ProviderDescriptor<ConsulSettings>,
): SourceEvent {
  const snapshot = createSnapshot({
    ...content,
    providerId: id,
    observedAt,
    revision: String(index),
    ...(ageMs !== undefined && (ageMs > 0 || params.consistency === "stale") && { stalenessMs: ageMs }),
  });
  return { type: "snapshot", snapshot, ...(held !== undefined && { held }) };
}
