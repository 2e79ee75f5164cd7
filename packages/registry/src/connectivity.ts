import {
  createDeadline,
  ProvisioningError,
  throwIfAborted,
  toProvisioningError,
  untilAborted,
  type Clock,
  type ClusterProvider,
} from "@holdfast/core";

export interface ConnectivityOptions {
  readonly clock: Clock;
  /** Milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Resolves once the provider's probe has. Rejects with what the probe threw (`CONNECTIVITY_REFUSED` for a foreign error),
 * with `CONNECTIVITY_TIMEOUT` when time is up, or as the signal aborts, even when the probe heeds no signal.
 */
export async function proveConnectivity(
  provider: ClusterProvider,
  options: ConnectivityOptions,
): Promise<void> {
  const { clock, timeoutMs, signal } = options;
  const { id } = provider.descriptor;
  throwIfAborted(signal);
  using deadline = createDeadline({
    clock,
    signal,
    afterMs: timeoutMs,
    error: () =>
      new ProvisioningError("CONNECTIVITY_TIMEOUT", `no answer within ${timeoutMs} ms, for "${id}"`),
  });
  try {
    await untilAborted(provider.probe({ signal: deadline.signal }), deadline.signal);
  } catch (error) {
    // A probe that heeds its signal rejects with what it likes; the reason is ours to tell.
    throwIfAborted(deadline.signal);
    throw toProvisioningError(error, "CONNECTIVITY_REFUSED", `the probe failed, for "${id}"`);
  }
}
