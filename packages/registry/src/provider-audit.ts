import {
  createDeadline,
  ProvisioningError,
  toProvisioningError,
  toReason,
  untilAborted,
  type Clock,
  type Reason,
} from "@holdfast/core";
import type { RegisteredProvider } from "./registered-provider.ts";
import type { RegistryWarning } from "./registry-events.ts";

export interface ProviderAuditOptions {
  readonly clock: Clock;
  /** Ends audits in progress, without a warning. */
  readonly signal: AbortSignal;
  readonly onWarning: (warning: RegistryWarning) => void;
}

/** Time limit for a provider to list its insecure settings, in milliseconds. */
const AUDIT_WITHIN_MS = 5_000;

/** Warns of insecure settings, once for each instance that comes into force. No call waits for the audit. */
export class ProviderAudit {
  readonly #options: ProviderAuditOptions;

  constructor(options: ProviderAuditOptions) {
    this.#options = options;
  }

  /** Audits the providers that are in `next` and were not in `before`. */
  start(before: readonly RegisteredProvider[], next: readonly RegisteredProvider[]): void {
    const known = new Set(before.map(({ provider }) => provider));
    for (const registered of next) if (!known.has(registered.provider)) void this.#audit(registered);
  }

  async #audit({ descriptor: { id: providerId }, provider }: RegisteredProvider): Promise<void> {
    if (provider?.audit === undefined) return;
    const { clock, signal, onWarning } = this.#options;
    using deadline = createDeadline({ afterMs: AUDIT_WITHIN_MS, clock, signal, error: toLateError });
    let reasons: readonly Reason[];
    try {
      const work: Promise<readonly Reason[] | undefined> = provider.audit({ signal: deadline.signal });
      // The result is spread and its fields are read inside the `try`, because an adapter may return malformed data.
      reasons = [...((await untilAborted(work, deadline.signal)) ?? [])].map(
        ({ code, message, details }) => ({ code, message, ...(details && { details }) }),
      );
    } catch (error) {
      reasons = [
        toReason(toProvisioningError(error, "LIFECYCLE_INTERNAL", "its settings could not be audited")),
      ];
    }
    if (signal.aborted) return;
    for (const { code, message, details } of reasons) {
      onWarning({ code, message: `"${providerId}": ${message}`, providerId, details });
    }
  }
}

function toLateError(): ProvisioningError {
  return new ProvisioningError(
    "CONNECTIVITY_TIMEOUT",
    `the audit of its settings did not finish within ${AUDIT_WITHIN_MS} ms`,
  );
}
