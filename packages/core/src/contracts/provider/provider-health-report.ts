import type { Reason } from "../../errors/reason.ts";
import type { ProviderHealth } from "../../model/provider-health.ts";

/** The health of one provider, for monitoring. */
export interface ProviderHealthReport {
  readonly providerId: string;
  readonly health: ProviderHealth;
  readonly isActive: boolean;
  /** Failures in a row. */
  readonly errors: number;
  /** Wall-clock milliseconds of the last sign of life; absent before the first. */
  readonly lastUpdateAt?: number | undefined;
  /** Why it is not healthy: its last failure, or why it is disabled. Absent while it is healthy, idle or connecting. */
  readonly reason?: Reason | undefined;
}
