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
 * Resolves once the provider's probe has. Rejects with the error of the probe (`CONNECTIVITY_REFUSED` for an error that
 * is not a `ProvisioningError`), with `CONNECTIVITY_TIMEOUT` after `timeoutMs`, or with the reason of the signal, even
 * when the probe ignores its signal.
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
      new ProvisioningError(
        "CONNECTIVITY_TIMEOUT",
        `the probe of "${id}" did not finish within ${timeoutMs} ms`,
      ),
  });
  try {
    await untilAborted(provider.probe({ signal: deadline.signal }), deadline.signal);
  } catch (error) {
    // An aborted probe may reject with any error; the reason of the signal takes precedence.
    throwIfAborted(deadline.signal);
    throw toProvisioningError(error, "CONNECTIVITY_REFUSED", `the probe of "${id}" failed`);
  }
}
