import { ProvisioningError, type LogPosition } from "@holdfast/core";
import type { DaemonSource } from "./daemon-source.ts";
import type { TransportResponse } from "./transport.ts";

/** Opens `/events` of a daemon, continuing after a position. Rejects with a `CONNECTIVITY_*` or `STREAM_INVALID_DATA` error. */
export async function openStream(
  { url, transport, token }: DaemonSource,
  position: LogPosition | undefined,
  signal: AbortSignal,
): Promise<TransportResponse> {
  const endpoint = new URL("/events", url).href;
  const headers: Record<string, string> = { accept: "text/event-stream" };
  if (token !== undefined) headers["authorization"] = `Bearer ${await token(signal)}`;
  if (position !== undefined) headers["last-event-id"] = `${position.epoch}:${position.seqNo}`;
  const response = await transport({ url: endpoint, headers, signal });
  const failure = toFailure(endpoint, response);
  if (failure === undefined) return response;
  await response.body[Symbol.asyncIterator]().return?.();
  throw failure;
}

function toFailure(url: string, response: TransportResponse): ProvisioningError | undefined {
  const { status } = response;
  const details = { status };
  if (status === 401 || status === 403) {
    return new ProvisioningError("CONNECTIVITY_UNAUTHORIZED", `${url} refused the credentials (${status})`, {
      details,
    });
  }
  if (status === 503 || status === 429) {
    const seconds = Number(response.header("retry-after"));
    const retryAfterMs = seconds > 0 ? seconds * 1_000 : undefined;
    const message = `${url} cannot serve another client now (${status})`;
    return new ProvisioningError("CONNECTIVITY_OVERLOADED", message, {
      details: { ...details, ...(retryAfterMs !== undefined && { retryAfterMs }) },
    });
  }
  if (status !== 200) {
    return new ProvisioningError("CONNECTIVITY_UNAVAILABLE", `${url} answered ${status}`, { details });
  }
  const type = response.header("content-type") ?? "";
  if (type.startsWith("text/event-stream")) return undefined;
  return new ProvisioningError(
    "STREAM_INVALID_DATA",
    `${url} is not a Holdfast daemon: its content type is not text/event-stream`,
  );
}
