import { ProvisioningError, type LogPosition } from "@holdfast/core";
import { parseRetryAfter, toHttpFailure } from "@holdfast/core/portable";
import type { DaemonSource } from "./daemon-source.ts";
import type { TransportResponse } from "./transport.ts";

/** Opens `/events` of a daemon, continuing after a position. Rejects with a `CONNECTIVITY_*` or `STREAM_*` error. */
export async function openStream(
  source: DaemonSource,
  position: LogPosition | undefined,
  signal: AbortSignal,
): Promise<TransportResponse> {
  const { url, transport, token } = source;
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (token !== undefined) headers["authorization"] = `Bearer ${await token(signal)}`;
  if (position !== undefined) headers["last-event-id"] = `${position.epoch}:${position.seqNo}`;
  const response = await transport({ url: new URL("/events", url).href, headers, signal });
  const failure = toFailure(source, response);
  if (failure === undefined) return response;
  await response.body[Symbol.asyncIterator]().return?.();
  throw failure;
}

function toFailure({ url, clock }: DaemonSource, response: TransportResponse): ProvisioningError | undefined {
  const { status } = response;
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
