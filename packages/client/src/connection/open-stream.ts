import {
  DEFAULT_TOPOLOGY,
  ProvisioningError,
  type LogPosition,
  type SnapshotHash,
  type TopologyName,
} from "@holdfast/core";
import { parseRetryAfter, toHttpFailure } from "@holdfast/core/portable";
import type { DaemonSource } from "./daemon-source.ts";
import { readErrorCode } from "./read-error-code.ts";
import type { TransportResponse } from "./transport.ts";

/** What is asked of a daemon about one topology. */
export interface StreamTopic {
  readonly name: TopologyName;
  /** Continue after this position if the log still has it. @defaultValue begin with the state */
  readonly position?: LogPosition | undefined;
  /** A state with this hash may leave the members out. @defaultValue every state has its members */
  readonly have?: SnapshotHash | undefined;
}

/**
 * Opens one stream for the logs of a daemon's topologies. With one topology its frames are those of `/events`; with several each frame
 * names its topology. Rejects with a `CONNECTIVITY_*` or `STREAM_*` error, or `TOPOLOGY_UNKNOWN`.
 */
export async function openStream(
  source: DaemonSource,
  topics: readonly StreamTopic[],
  signal: AbortSignal,
): Promise<TransportResponse> {
  const { url, transport, token } = source;
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (token !== undefined) headers["authorization"] = `Bearer ${await token(signal)}`;
  const [first] = topics;
  const position = topics.length === 1 ? first?.position : undefined;
  if (position !== undefined) headers["last-event-id"] = `${position.epoch}:${position.seqNo}`;
  const response = await transport({ url: toUrl(url, topics), headers, signal });
  const failure = await toFailure(source, topics, response);
  if (failure === undefined) return response;
  await response.body[Symbol.asyncIterator]().return?.();
  throw failure;
}

function toUrl(origin: string, topics: readonly StreamTopic[]): string {
  const [first] = topics;
  if (topics.length !== 1 || first === undefined) {
    const url = new URL("/events", origin);
    for (const topic of topics) url.searchParams.append("topology", toText(topic));
    return url.href;
  }
  const { name, have } = first;
  const path = name === DEFAULT_TOPOLOGY ? "/events" : `/topologies/${encodeURIComponent(name)}/events`;
  const url = new URL(path, origin);
  if (have !== undefined) url.searchParams.set("have", have);
  return url.href;
}

function toText({ name, position, have }: StreamTopic): string {
  const at = position === undefined ? "" : `@${position.epoch}/${position.seqNo}`;
  return name + at + (have === undefined ? "" : `;${have}`);
}

async function toFailure(
  { url, clock }: DaemonSource,
  topics: readonly StreamTopic[],
  response: TransportResponse,
): Promise<ProvisioningError | undefined> {
  const { status } = response;
  if (status === 404 && (await readErrorCode(response)) === "TOPOLOGY_UNKNOWN") {
    return toUnknownTopology(
      url,
      topics.map(({ name }) => name),
    );
  }
  if (status !== 200) {
    // The daemon answers 503 while it has as many clients as it may have, and while it stops.
    const { code, failure } =
      status === 503
        ? { code: "CONNECTIVITY_OVERLOADED" as const, failure: "takes no further client now" }
        : toHttpFailure(status);
    const retryAfterMs = parseRetryAfter(response.header("retry-after"), clock.now());
    const details = { address: url, status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    return new ProvisioningError(code, `the daemon at ${url} ${failure}`, { details });
  }
  if (/^text\/event-stream\b/i.test(response.header("content-type") ?? "")) return undefined;
  const message = `the server at ${url} is not a Holdfast daemon: its response is not text/event-stream`;
  return new ProvisioningError("STREAM_INVALID_DATA", message, { details: { address: url } });
}

/** The error for topologies that a daemon does not have. */
export function toUnknownTopology(url: string, names: readonly TopologyName[]): ProvisioningError {
  const topology = names.map((name) => `"${name}"`).join(", ");
  const what = names.length === 1 ? "topology" : "one of the topologies";
  const message = `the daemon at ${url} does not have the ${what} ${topology}`;
  return new ProvisioningError("TOPOLOGY_UNKNOWN", message, { details: { address: url, topologies: names } });
}
