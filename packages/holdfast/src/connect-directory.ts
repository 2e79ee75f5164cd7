import type {
  Clock,
  DiscoveryStore,
  GenerationStore,
  ProviderDescriptorInput,
  ProviderSpec,
  ProviderStore,
  Random,
  TopologyName,
} from "@holdfast/core";
import type {
  GuardOptions,
  HealthOptions,
  LastKnownGoodOptions,
  ProvisioningServiceOptions,
  ServicePorts,
  ValidationOptions,
} from "@holdfast/provisioning";
import type { DiscoveryDefinition, DiscoveryOptions } from "./discovery/discovery-definition.ts";
import { Directory } from "./directory/directory.ts";
import type { DirectoryWarning } from "./directory/directory-warning.ts";
import type { TopologyDefinition, TopologyStores } from "./directory/topology-definition.ts";
import { passRegistered } from "./pass-registered.ts";
import { toAdapters, toDescriptors } from "./to-configuration.ts";

/** Settings that all topologies of a directory have unless one has its own. */
export interface CommonTopologyOptions {
  /** How health is judged and when to fail over. */
  readonly health?: HealthOptions | undefined;
  /** Settings of the guards, which keep members from being removed too early. */
  readonly guards?: GuardOptions | undefined;
  /** How providers are checked before they are accepted. @defaultValue a failed connection is a warning, not an error */
  readonly validation?: ValidationOptions | undefined;
}

/** One topology. */
export interface TopologyOptions extends CommonTopologyOptions {
  /** The providers in order of preference. The first healthy one is active. */
  readonly providers: readonly ProviderSpec[];
  /** Whether `Directory.ready` waits for the topology. @defaultValue true */
  readonly required?: boolean | undefined;
  /** Placement, Partition and Remoting: consumers of the topology, implemented by you. @defaultValue none */
  readonly ports?: ServicePorts | undefined;
  /** Keeps the newest good snapshot across restarts. @defaultValue kept in the store of `storesFor`, if there is one */
  readonly lastKnownGood?: LastKnownGoodOptions | undefined;
  /** Keeps the set of providers across restarts. @defaultValue that of `storesFor`; otherwise kept in memory only */
  readonly store?: ProviderStore | undefined;
}

/** A backend whose services become topologies. */
export interface DiscoverSource {
  /** An adapter that can list services, such as `consul` or `kubernetes`. */
  readonly adapter: Pick<ProviderSpec, "kind" | "createAdapter">;
  /** Checked by the adapter. */
  readonly params: object;
}

/** Topologies for the services that backends list. */
export interface DiscoverOptions extends DiscoveryOptions, CommonTopologyOptions {
  /** At least one. A service is present as long as any of them lists it. */
  readonly from: readonly DiscoverSource[];
  /** The name of the topology of a service. `{service}` is the name of the service; adapters have further values. @defaultValue "{service}" */
  readonly topology?: string | undefined;
  /** The providers of each topology, with placeholders in their ids and in the texts of their parameters. */
  readonly providers: readonly ProviderSpec[];
  /** Whether `Directory.ready` waits for the topologies that exist at that time. @defaultValue false */
  readonly required?: boolean | undefined;
}

export interface ConnectDirectoryOptions extends CommonTopologyOptions {
  /** For each name, the providers in order of preference, or further options. @defaultValue none */
  readonly topologies?: Readonly<Record<TopologyName, readonly ProviderSpec[] | TopologyOptions>> | undefined;
  /** Topologies that appear and disappear with the services of backends. @defaultValue none */
  readonly discover?: readonly DiscoverOptions[] | undefined;
  /** What a topology keeps across restarts, unless it has its own. @defaultValue nothing is kept */
  readonly storesFor?: ((name: TopologyName) => TopologyStores) | undefined;
  /** Keeps which services were found across restarts. @defaultValue not kept */
  readonly discoveryStore?: DiscoveryStore | undefined;
  /** Orders the epochs of several runs of this program. @defaultValue none: the wall clock orders them */
  readonly generation?: GenerationStore | undefined;
  /** The prom-client `Registry` for the metrics of all topologies. @defaultValue no metrics, and prom-client is not loaded */
  readonly metricsRegistry?: ProvisioningServiceOptions["metricsRegistry"];
  /** Called with problems that did not make a call fail. The warning names the topology. */
  readonly onWarning?: ((warning: DirectoryWarning) => unknown) | undefined;
  /** Cancels the start. It has no effect on the returned directory, which is ended with `close()`. */
  readonly signal?: AbortSignal | undefined;
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}

interface Named {
  readonly name: TopologyName;
  readonly given: TopologyOptions;
  readonly descriptors: readonly ProviderDescriptorInput[];
}

/** See `connect`. */
export async function connectDirectory(options: ConnectDirectoryOptions): Promise<Directory> {
  const { discover = [], signal, onWarning, storesFor, ...rest } = options;
  const named = Object.entries(options.topologies ?? {}).map(([name, value]): Named => {
    const given: TopologyOptions = isList(value) ? { providers: value } : value;
    return { name, given, descriptors: toDescriptors(given.providers) };
  });
  const own = new Map(named.map(({ name, given }) => [name, given]));
  const directory = new Directory({
    ...rest,
    adapters: toAdapters([
      ...named.flatMap(({ given }) => given.providers),
      ...discover.flatMap(({ from, providers }) => [...from.map(({ adapter }) => adapter), ...providers]),
    ]),
    storesFor: (name) => toStores(storesFor?.(name), own.get(name)),
  });
  if (onWarning !== undefined) directory.on("warning", onWarning);
  const topologies = named.map((one) => toTopologyDefinition(one, options));
  const discoveries = discover.map((one) => toDiscoveryDefinition(one, options));
  await directory.start({ topologies, discoveries }, { signal });
  for (const one of named) passWhenRegistered(directory, one);
  return directory;
}

function toStores(common: TopologyStores | undefined, own: TopologyOptions | undefined): TopologyStores {
  return {
    providers: own?.store ?? common?.providers,
    snapshots: own?.lastKnownGood?.store ?? common?.snapshots,
  };
}

function toTopologyDefinition(
  { name, given, descriptors }: Named,
  common: CommonTopologyOptions,
): TopologyDefinition {
  const { required, ports, lastKnownGood } = given;
  return { name, providers: descriptors, required, ports, lastKnownGood, ...toSettings(given, common) };
}

function toDiscoveryDefinition(given: DiscoverOptions, common: CommonTopologyOptions): DiscoveryDefinition {
  const { from, topology, providers, required, removeAfterMs, massRemoval } = given;
  return {
    sources: from.map(({ adapter, params }) => ({ kind: adapter.kind, params: { ...params } })),
    topology,
    providers: toDescriptors(providers),
    settings: { required, ...toSettings(given, common) },
    removeAfterMs,
    massRemoval,
  };
}

function toSettings(own: CommonTopologyOptions, common: CommonTopologyOptions): CommonTopologyOptions {
  return {
    health: { ...common.health, ...own.health },
    guards: { ...common.guards, ...own.guards },
    validation: { probe: "warn", ...common.validation, ...own.validation },
  };
}

/** A start that failed is tried again, so the providers may be registered later. */
function passWhenRegistered(directory: Directory, { name, given, descriptors }: Named): void {
  const { service } = directory.topology(name);
  const pass = () => passRegistered(service, given.providers, descriptors);
  pass();
  service.registry.on("changed", pass);
}

function isList<T>(value: readonly T[] | object): value is readonly T[] {
  return Array.isArray(value);
}
