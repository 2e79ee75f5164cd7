import {
  readUntilAborted,
  toProvisioningError,
  type ClusterProvider,
  type ProviderEvent,
  type ProviderTermination,
  type ProvisioningError,
} from "@holdfast/core";

export interface WatchToItsEndOptions {
  readonly provider: ClusterProvider;
  readonly signal: AbortSignal;
  /** What the watch broke with. */
  readonly onFailure: (failure: ProvisioningError) => void;
}

/**
 * What a provider says and, when its watch is over though nobody asked, that it is: once, however the provider itself puts
 * it. Ends quietly as soon as the signal aborts, also when the provider ignores it.
 */
export async function* watchToItsEnd(options: WatchToItsEndOptions): AsyncGenerator<ProviderEvent, void> {
  const { provider, signal, onFailure } = options;
  const { id } = provider.descriptor;
  let reason: ProviderTermination = { kind: "ended" };
  let isTold = false;
  try {
    for await (const event of readUntilAborted(provider.watch({ signal }), signal)) {
      // Else it is of a provider inside the provider.
      const isOwn = event.type === "terminated" && (event.providerId ?? id) === id;
      isTold ||= isOwn;
      yield event;
    }
  } catch (error) {
    if (signal.aborted) return;
    const failure = toProvisioningError(error, "STREAM_FAILED", `the watch on "${id}" broke`);
    reason = { kind: "errored", code: failure.code };
    onFailure(failure);
  }
  if (signal.aborted) return;
  if (!isTold) yield { type: "terminated", reason };
  yield {
    type: "availability_changed",
    availability: "unavailable",
    reason: `the watch on "${id}" is over`,
  };
}
