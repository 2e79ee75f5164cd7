import { isProvisioningError, ProvisioningError } from "../errors/provisioning-error.ts";

/** The error an aborted wait rejects with: the signal's own reason when it is ours, else `LIFECYCLE_ABORTED`. */
export function toAbortError(signal: AbortSignal): ProvisioningError {
  const reason: unknown = signal.reason;
  if (isProvisioningError(reason)) return reason;
  return new ProvisioningError("LIFECYCLE_ABORTED", "the wait was aborted", { cause: reason });
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw toAbortError(signal);
}

/** Calls `onAbort` once: now if the signal has aborted, else when it does, unless disposed of first. */
export function whenAborted(signal: AbortSignal | undefined, onAbort: () => void): Disposable {
  if (signal === undefined) return { [Symbol.dispose]() {} };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return { [Symbol.dispose]: () => signal.removeEventListener("abort", onAbort) };
}
