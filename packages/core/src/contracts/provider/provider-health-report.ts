import type { Reason } from "../../errors/reason.ts";
import type { ProviderHealth } from "../../model/provider-health.ts";

/** The health of one provider, for monitoring. */
export interface ProviderHealthReport {
  readonly providerId: string;
  readonly health: ProviderHealth;
  readonly isActive: boolean;
  /** Number of consecutive failures. */
  readonly errors: number;
  /** Wall-clock milliseconds of the last snapshot or sign of life after it; absent before the first. */
  readonly lastUpdateAt?: number | undefined;
  /** Wall-clock milliseconds when it last confirmed that its content is current; absent before the first time. */
  readonly confirmedAt?: number | undefined;
  /**
   * The reason why it is not healthy: its last failure, or the reason why it is disabled. Absent while it is healthy,
   * idle or connecting.
   */
  readonly reason?: Reason | undefined;
}
