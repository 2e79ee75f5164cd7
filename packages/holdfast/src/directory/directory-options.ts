import type {
  AnyProviderAdapter,
  Clock,
  DiscoveryStore,
  GenerationStore,
  Random,
  TopologyName,
} from "@holdfast/core";
import type { ProvisioningServiceOptions } from "@holdfast/provisioning";
import type { TopologyStores } from "./topology-definition.ts";

export interface DirectoryOptions {
  /** One for each kind. All topologies share them, and with them the connections and watches of the same backend. */
  readonly adapters: readonly AnyProviderAdapter[];
  /** What one topology keeps across restarts. Called once for each start of a topology. @defaultValue nothing is kept */
  readonly storesFor?: ((name: TopologyName) => TopologyStores) | undefined;
  /** Keeps which services discoveries have found. @defaultValue not kept: after a start, topologies appear once a backend lists them */
  readonly discoveryStore?: DiscoveryStore | undefined;
  /** Orders the epochs of the runs of all topologies. @defaultValue none: the wall clock orders them */
  readonly generation?: GenerationStore | undefined;
  /** The prom-client `Registry` for the metrics. @defaultValue no metrics, and prom-client is not loaded */
  readonly metricsRegistry?: ProvisioningServiceOptions["metricsRegistry"];
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}
