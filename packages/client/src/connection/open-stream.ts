import { ProvisioningError, type LogPosition, type SnapshotHash, type TopologyName } from "@holdfast/core";
import { parseRetryAfter, toHttpFailure } from "@holdfast/core/portable";
import type { DaemonSource } from "./daemon-source.ts";
import { readErrorCode } from "./read-error-code.ts";
import type { TransportResponse } from "./transport.ts";

/** What is asked of a daemon. */
export interface StreamQuery {
  /** @defaultValue the daemon's default topology */
  readonly topology?: TopologyName | undefined;
  /** Continue after this position if the log still has it. @defaultValue begin with the state */
  readonly position?: LogPosition | undefined;
  /** A state with this hash may leave the members out. @defaultValue every state has its members */
  readonly have?: SnapshotHash | undefined;
}

/** Opens the log of a daemon's topology. Rejects with a `CONNECTIVITY_*` or `STREAM_*` error, or `TOPOLOGY_UNKNOWN`. */
export async function openStream(
  source: DaemonSource,
  query: StreamQuery,
  signal: AbortSignal,
): Promise<TransportResponse> {
  const { position } = query;
  const { url, transport, token } = source;
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (token !== undefined) headers["authorization"] = `Bearer ${await token(signal)}`;
  if (position !== undefined) headers["last-event-id"] = `${position.epoch}:${position.seqNo}`;
  const response = await transport({ url: toUrl(url, query), headers, signal });
  const failure = await toFailure(source, query, response);
  if (failure === undefined) return response;
  await response.body[Symbol.asyncIterator]().return?.();
  throw failure;
}

function toUrl(origin: string, { topology, have }: StreamQuery): string {
  const path = topology === undefined ? "/events" : `/topologies/${encodeURIComponent(topology)}/events`;
  const url = new URL(path, origin);
  if (have !== undefined) url.searchParams.set("have", have);
  return url.href;
}

async function toFailure(
  { url, clock }: DaemonSource,
  { topology }: StreamQuery,
  response: TransportResponse,
): Promise<ProvisioningError | undefined> {
  const { status } = response;
  if (status === 404 && (await readErrorCode(response)) === "TOPOLOGY_UNKNOWN") {
    const name = topology === undefined ? "default topology" : `topology "${topology}"`;
    const details = { address: url, status, ...(topology !== undefined && { topology }) };
    return new ProvisioningError("TOPOLOGY_UNKNOWN", `the daemon at ${url} has no ${name}`, { details });
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
