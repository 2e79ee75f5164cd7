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
  TopologyName,
} from "@holdfast/core";
import type { GuardOptions, HealthOptions } from "@holdfast/failover";
import type { MetricsRegistry } from "@holdfast/metrics";
import type { ProviderRegistryOptions } from "@holdfast/registry";
import type { SharedMetrics } from "./shared-metrics.ts";

/** The consumers of the topology, implemented by the user. Every port is optional. */
export interface ServicePorts {
  readonly placement?: PlacementPort | undefined;
  readonly partition?: PartitionPort | undefined;
  readonly remoting?: RemotingPort | undefined;
}

/** Timeouts and retries for calls of the ports. All durations are milliseconds. */
export interface CallOptions extends PortPolicyOptions {
  /** How long `placement.admit()` waits for Placement. @defaultValue three times `timeoutMs` */
  readonly admitTimeoutMs?: number | undefined;
}

/** How providers are checked before they are accepted; see `ProviderRegistryOptions`. */
export type ValidationOptions = Pick<
  ProviderRegistryOptions,
  "probe" | "probeTimeoutMs" | "suppressAfter" | "suppressMs"
>;

/** Settings for keeping the newest good snapshot across restarts. All durations are milliseconds. */
export interface LastKnownGoodOptions {
  readonly store: SnapshotStore;
  /** How long the snapshot may be served after its provider last confirmed it. @defaultValue 3600000 */
  readonly maxAgeMs?: number | undefined;
  /** How often a changed snapshot is saved. An unchanged one is saved again every tenth of `maxAgeMs`. @defaultValue 10000 */
  readonly saveEveryMs?: number | undefined;
}

export interface ProvisioningServiceOptions {
  /** One adapter for each kind of provider that can be configured. */
  readonly adapters: readonly AnyProviderAdapter[];
  readonly store: ProviderStore;
  /**
   * Orders the epochs of the runs of this service. If it fails, the start is rejected. @defaultValue none: the wall clock orders the
   * epochs, and if it was set back, a receiver that outlives the service ignores the new run until the clock has caught up
   */
  readonly generation?: GenerationStore | undefined;
  readonly ports?: ServicePorts | undefined;
  /** Timeouts and retries for calls of the ports. */
  readonly calls?: CallOptions | undefined;
  readonly health?: HealthOptions | undefined;
  /** Settings of the guards, which keep members from being removed too early. */
  readonly guards?: GuardOptions | undefined;
  /** Saves the newest good snapshot, and serves it after a start until a provider delivers one. @defaultValue not saved */
  readonly lastKnownGood?: LastKnownGoodOptions | undefined;
  readonly validation?: ValidationOptions | undefined;
  /** How many of the newest events are kept for `topology.eventsSince`. @defaultValue 1000 */
  readonly retainedEvents?: number | undefined;
  /** The name of the topology, which is a label of the metrics. @defaultValue "default" */
  readonly name?: TopologyName | undefined;
  /** The prom-client `Registry` to which the start adds the metrics. @defaultValue no metrics, and prom-client is not loaded */
  readonly metricsRegistry?: MetricsRegistry | undefined;
  /** The metrics that several services share, instead of `metricsRegistry`. The caller disposes of them. */
  readonly metrics?: SharedMetrics | undefined;
  /** @defaultValue systemClock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}
