import type { PortPolicyOptions } from "@holdfast/bridges";
import type {
  PartitionPort,
  PlacementPort,
  RemotingPort,
  AnyProviderAdapter,
  Clock,
  GenerationStore,
  ProviderStore,
  Random,
  SnapshotStore,
} from "@holdfast/core";
import type { GuardOptions, HealthOptions } from "@holdfast/failover";
import type { MetricsRegistry } from "@holdfast/metrics";
import type { ProviderRegistryOptions } from "@holdfast/registry";

/** The user's code. Each port may be left out. */
export interface ServicePorts {
  readonly placement?: PlacementPort | undefined;
  readonly partition?: PartitionPort | undefined;
  readonly remoting?: RemotingPort | undefined;
}

/** How long, and how often, the ports are called. All durations are milliseconds. */
export interface CallOptions extends PortPolicyOptions {
  /** How long `placement.admit()` waits for Placement. @defaultValue three times `timeoutMs` */
  readonly admitTimeoutMs?: number | undefined;
}

/** How descriptors are proven before they are accepted; see `ProviderRegistryOptions`. */
export type ValidationOptions = Pick<
  ProviderRegistryOptions,
  "probe" | "probeTimeoutMs" | "suppressAfter" | "suppressMs"
>;

/** Keeps the newest good snapshot across restarts. All durations are milliseconds. */
export interface LastKnownGoodOptions {
  readonly store: SnapshotStore;
  /** How long after its provider confirmed it last it may be served. @defaultValue 3600000 */
  readonly maxAgeMs?: number | undefined;
  /** How often a changed one is saved; one that only was confirmed again every tenth of `maxAgeMs`. @defaultValue 10000 */
  readonly saveEveryMs?: number | undefined;
}

export interface ProvisioningServiceOptions {
  /** One for each kind of provider that may be configured. */
  readonly adapters: readonly AnyProviderAdapter[];
  readonly store: ProviderStore;
  /**
   * Orders the epochs of the runs of this service. A start for which it gives no number is refused. @defaultValue the wall clock orders
   * them: a receiver that outlives the service ignores a run that begins before an earlier one, by the clock
   */
  readonly generation?: GenerationStore | undefined;
  readonly ports?: ServicePorts | undefined;
  /** Deadlines and tries of the calls of the ports. */
  readonly calls?: CallOptions | undefined;
  readonly health?: HealthOptions | undefined;
  /** What keeps members from leaving too soon. */
  readonly guards?: GuardOptions | undefined;
  /** Served while no provider answers after a start. @defaultValue nothing is kept */
  readonly lastKnownGood?: LastKnownGoodOptions | undefined;
  readonly validation?: ValidationOptions | undefined;
  /** How many events the topology's `eventsSince` can go back. @defaultValue 1000 */
  readonly retainedEvents?: number | undefined;
  /** The prom-client `Registry` for the metrics, which are added by the start. @defaultValue no metrics, and prom-client is not loaded */
  readonly metricsRegistry?: MetricsRegistry | undefined;
  /** @defaultValue systemClock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}
