import type { ProviderDescriptorInput, ProviderStore, SnapshotStore, TopologyName } from "@holdfast/core";
import type {
  CallOptions,
  GuardOptions,
  HealthOptions,
  LastKnownGoodOptions,
  ServicePorts,
  ValidationOptions,
} from "@holdfast/provisioning";

/** The settings of one topology. */
export interface TopologySettings {
  /** Whether `Directory.ready` waits for the topology. @defaultValue true; false for a discovered topology */
  readonly required?: boolean | undefined;
  /** How health is judged and when to fail over. */
  readonly health?: HealthOptions | undefined;
  /** Settings of the guards, which keep members from being removed too early. */
  readonly guards?: GuardOptions | undefined;
  /** How providers are checked before they are accepted. */
  readonly validation?: ValidationOptions | undefined;
  /** How the newest good snapshot is kept, if there is a store for it; false: it is not kept. */
  readonly lastKnownGood?: Omit<LastKnownGoodOptions, "store"> | false | undefined;
  /** How many of the newest events are kept. @defaultValue 1000 */
  readonly retainedEvents?: number | undefined;
  /** The consumers of the topology. */
  readonly ports?: ServicePorts | undefined;
  /** Timeouts and retries for calls of the ports. */
  readonly calls?: CallOptions | undefined;
}

/** One topology of a directory. */
export interface TopologyDefinition extends TopologySettings {
  readonly name: TopologyName;
  /** All providers. @defaultValue the stored set */
  readonly providers?: readonly ProviderDescriptorInput[] | undefined;
  /** Where the definition stands in the configuration; problems are reported below it. @defaultValue ["topologies", name] */
  readonly at?: readonly PropertyKey[] | undefined;
}

/** What one topology keeps across restarts. */
export interface TopologyStores {
  /** Keeps the set of providers. @defaultValue kept in memory only */
  readonly providers?: ProviderStore | undefined;
  /** Keeps the newest good snapshot. @defaultValue not kept */
  readonly snapshots?: SnapshotStore | undefined;
}
