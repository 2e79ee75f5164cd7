import { isProvisioningError, ProvisioningError } from "../errors/provisioning-error.ts";

/**
 * Returns the error of an aborted wait: the signal's reason if it is a `ProvisioningError`, otherwise
 * `LIFECYCLE_ABORTED`.
 */
export function toAbortError(signal: AbortSignal): ProvisioningError {
  const reason: unknown = signal.reason;
  if (isProvisioningError(reason)) return reason;
  return new ProvisioningError("LIFECYCLE_ABORTED", "the wait was aborted", { cause: reason });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw toAbortError(signal);
}

/**
 * Calls `onAbort` once: immediately if the signal has already aborted, otherwise when it aborts, unless disposed of
 * first.
 */
export function whenAborted(signal: AbortSignal | undefined, onAbort: () => void): Disposable {
  if (signal === undefined) return { [Symbol.dispose]() {} };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", onAbort) };
}
