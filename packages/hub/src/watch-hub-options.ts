import type { Clock, Epoch, ProvisioningError, Random, UpdateSource } from "@holdfast/core";

export interface WatchHubOptions {
  /** The source of updates: a `Failover`. */
  readonly source: UpdateSource;
  /** @defaultValue systemClock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
  /** Identifies this run; must sort after the epochs of earlier runs. @defaultValue derived from `clock` and `random` */
  readonly epoch?: Epoch | undefined;
  /** How many of the newest events are kept for `eventsSince`. @defaultValue 1000 */
  readonly retainedEvents?: number | undefined;
  /** Memory limit of those events, in nodes: how many nodes they may hold in addition to the newest snapshot. @defaultValue 100000 */
  readonly retainedChanges?: number | undefined;
  /**
   * Called with errors of listeners, with `LIFECYCLE_SHUTTING_DOWN` for a snapshot rejected during a drain, with `TOPOLOGY_NOT_CURRENT`
   * for a node that was blocked while the topology was not current, and with the failure of the source. Errors that it throws are
   * ignored. @defaultValue ignored
   */
  readonly onError?: ((error: ProvisioningError) => unknown) | undefined;
}

export interface HubStartOptions {
  /**
   * Replaces the epoch given to the constructor, if the epoch is only known later. Positions with the first epoch stay valid. Ignored
   * except at the first start.
   */
  readonly epoch?: Epoch | undefined;
}
