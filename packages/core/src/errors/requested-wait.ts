import type { ProvisioningError } from "./provisioning-error.ts";

/** The wait that the backend requested (`details.retryAfterMs`), at most `maxMs`; 0 if it requested none. Milliseconds. */
export function requestedWaitMs(error: ProvisioningError | undefined, maxMs: number): number {
  const requested = error?.details["retryAfterMs"];
  return typeof requested === "number" && requested > 0 ? Math.min(requested, maxMs) : 0;
}
