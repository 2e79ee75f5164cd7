import type { ProviderDescriptorInput } from "@holdfast/core";
import type { TopologySettings } from "../directory/topology-definition.ts";

/** A backend whose services become topologies. */
export interface DiscoverySource {
  /** A kind whose adapter can list services. */
  readonly kind: string;
  /** Checked by the adapter's discovery. */
  readonly params: Readonly<Record<string, unknown>>;
}

/** Keeps topologies when many services vanish at once. */
export interface DiscoveryMassRemovalOptions {
  /** When at least this share of the services is missing at the same time (above 0, up to 1), or all of them. @defaultValue 0.5 */
  readonly share?: number | undefined;
  /** How long such services must have been missing, in milliseconds. @defaultValue 300000 */
  readonly holdMs?: number | undefined;
}

/** When a service that no source lists any more disappears. */
export interface DiscoveryOptions {
  /** How long a service must have been missing, in milliseconds. @defaultValue 60000 */
  readonly removeAfterMs?: number | undefined;
  /** Also applies to services that are missing after a backend lost its history. False: they are treated like others. */
  readonly massRemoval?: DiscoveryMassRemovalOptions | false | undefined;
}

/** Topologies for the services that backends list. They appear and disappear while the directory runs. */
export interface DiscoveryDefinition extends DiscoveryOptions {
  /** At least one. A service is present as long as any of them lists it. */
  readonly sources: readonly DiscoverySource[];
  /** The name of the topology of a service. `{service}` is the name of the service; adapters have further values. @defaultValue "{service}" */
  readonly topology?: string | undefined;
  /** The providers of each topology, with placeholders in their ids and in the texts of their parameters. */
  readonly providers: readonly ProviderDescriptorInput[];
  /** The settings of each topology. `health` also decides when a source is silent, and how long it waits before it tries again. */
  readonly settings?: TopologySettings | undefined;
  /** Where the definition stands in the configuration; problems are reported below it. @defaultValue ["discover", index] */
  readonly at?: readonly PropertyKey[] | undefined;
}
