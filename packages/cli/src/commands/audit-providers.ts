import {
  createDeadline,
  ProvisioningError,
  toProvisioningError,
  toReason,
  untilAborted,
  type AnyProviderAdapter,
  type Clock,
  type ProviderId,
  type Random,
  type Reason,
} from "@holdfast/core";
import { ProviderValidator } from "@holdfast/registry";

export interface AuditOptions {
  readonly adapters: readonly AnyProviderAdapter[];
  readonly clock: Clock;
  readonly random: Random;
}

export interface ProviderWarning extends Reason {
  readonly providerId: ProviderId;
}

/** Time limit for the audit of one provider, in milliseconds. */
const AUDIT_WITHIN_MS = 5_000;
/** Required by adapters. It has no effect, because nothing is watched. */
const HEARTBEAT_MS = 5_000;

/**
 * Returns the insecure settings of providers, without connecting to anything. Providers whose kind has no adapter are
 * left out.
 */
export async function auditProviders(
  providers: readonly unknown[],
  options: AuditOptions,
): Promise<readonly ProviderWarning[]> {
  const { adapters } = options;
  const checks = new ProviderValidator({ adapters }).checkAll(providers);
  const warnings = await Promise.all(
    checks.map(async ({ valid }) => {
      if (valid === undefined) return [];
      const providerId = valid.descriptor.id;
      const reasons = await auditOne(valid, options);
      return reasons.map((reason) => ({ ...reason, providerId }));
    }),
  );
  return warnings.flat();
}

type Valid = NonNullable<ReturnType<ProviderValidator["check"]>["valid"]>;

async function auditOne(valid: Valid, { clock, random }: AuditOptions): Promise<readonly Reason[]> {
  const { adapter, descriptor, params } = valid;
  const error = () =>
    new ProvisioningError(
      "CONNECTIVITY_TIMEOUT",
      `the audit of its settings did not finish within ${AUDIT_WITHIN_MS} ms`,
    );
  using deadline = createDeadline({ afterMs: AUDIT_WITHIN_MS, clock, error });
  const { signal } = deadline;
  try {
    await using provider = adapter.create(
      { ...descriptor, params },
      { clock, random, heartbeatMs: HEARTBEAT_MS },
    );
    return (await untilAborted(provider.audit?.({ signal }), signal)) ?? [];
  } catch (cause) {
    return [toReason(toProvisioningError(cause, "LIFECYCLE_INTERNAL", "its settings could not be audited"))];
  }
}
