import {
  readUntilAborted,
  toProvisioningError,
  toReason,
  type ClusterProvider,
  type ProviderEvent,
  type ProviderTermination,
  type ProvisioningError,
  type Reason,
} from "@holdfast/core";

export interface WatchToItsEndOptions {
  readonly provider: ClusterProvider;
  readonly signal: AbortSignal;
  /** Called with the error that ended the watch. */
  readonly onFailure: (failure: ProvisioningError) => void;
}

/**
 * Yields the provider's events. When its watch ends without the signal, yields `terminated` (unless the provider already did)
 * and then `unavailable`. Ends quietly as soon as the signal aborts, also when the provider ignores it.
 */
export async function* watchToItsEnd(options: WatchToItsEndOptions): AsyncGenerator<ProviderEvent, void> {
  const { provider, signal, onFailure } = options;
  const { id } = provider.descriptor;
  let reason: ProviderTermination = { kind: "ended" };
  let cause: Reason | undefined;
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
    cause = toReason(failure);
    reason = { kind: "errored", ...cause };
    onFailure(failure);
  }
  if (signal.aborted) return;
  if (!isTold) yield { type: "terminated", reason };
  yield {
    type: "availability_changed",
    availability: "unavailable",
    reason: `the watch on "${id}" is over${cause === undefined ? "" : ` (${cause.code}): ${cause.message}`}`,
    ...(cause && { cause }),
  };
}
