import { ProvisioningError, readUntilAborted } from "@holdfast/core";
import type { DaemonSource } from "./daemon-source.ts";
import { openStream } from "./open-stream.ts";

/** Proves that a daemon accepts the credentials and sends its log, and closes the connection. */
export async function probeDaemon(source: DaemonSource, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  try {
    const { body } = await openStream(source, undefined, AbortSignal.any([signal, stop.signal]));
    for await (const _ of readUntilAborted(body, signal)) return;
    throw new ProvisioningError("CONNECTIVITY_UNAVAILABLE", `${source.url} sent nothing`);
  } finally {
    stop.abort();
  }
}
