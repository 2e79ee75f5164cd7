import type {
  Clock,
  GenerationStore,
  ProviderDescriptorInput,
  ProviderSpec,
  ProviderStore,
  Random,
  TopologyName,
} from "@holdfast/core";
import {
  ProvisioningService,
  TransientProviderStore,
  type GuardOptions,
  type HealthOptions,
  type LastKnownGoodOptions,
  type ProvisioningServiceOptions,
  type ServicePorts,
  type ServiceWarning,
  type ValidationOptions,
} from "@holdfast/provisioning";
import { Directory } from "./directory/directory.ts";
import type { DirectoryWarning } from "./directory/directory-warning.ts";
import type { TopologyDefinition, TopologyStores } from "./directory/topology-definition.ts";
import { toAdapters, toDescriptors } from "./to-configuration.ts";
import { Topology } from "./topology.ts";

export interface ConnectOptions {
  /** The providers in order of preference. The first healthy one is active. */
  readonly providers: readonly ProviderSpec[];
  /** Placement, Partition and Remoting: consumers of the topology, implemented by you. @defaultValue none */
  readonly ports?: ServicePorts | undefined;
  /** How health is judged and when to fail over. */
  readonly health?: HealthOptions | undefined;
  /** Settings of the guards, which keep members from being removed too early. */
  readonly guards?: GuardOptions | undefined;
  /** How providers are checked before they are accepted. @defaultValue a failed connection is a warning, not an error */
  readonly validation?: ValidationOptions | undefined;
  /** Keeps the newest good snapshot across restarts. @defaultValue not kept */
  readonly lastKnownGood?: LastKnownGoodOptions | undefined;
  /** Keeps the set of providers across restarts. @defaultValue kept in memory only */
  readonly store?: ProviderStore | undefined;
  /** The prom-client `Registry` for the metrics. @defaultValue no metrics, and prom-client is not loaded */
  readonly metricsRegistry?: ProvisioningServiceOptions["metricsRegistry"];
  /** Called with problems that did not make a call fail, for example entries of a backend that could not be read. */
  readonly onWarning?: ((warning: ServiceWarning) => unknown) | undefined;
  /** Cancels the start. It has no effect on the returned topology, which is ended with `close()`. */
  readonly signal?: AbortSignal | undefined;
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}

/** One topology of `ConnectDirectoryOptions`. */
export interface TopologyOptions extends Pick<
  ConnectOptions,
  "providers" | "ports" | "health" | "guards" | "validation" | "lastKnownGood" | "store"
> {
  /** Whether `Directory.ready` waits for the topology. @defaultValue true */
  readonly required?: boolean | undefined;
}

export interface ConnectDirectoryOptions extends Pick<
  ConnectOptions,
  "health" | "guards" | "validation" | "metricsRegistry" | "signal" | "clock" | "random"
> {
  /** For each name, the providers in order of preference, or further options, which take precedence over those of all topologies. */
  readonly topologies: Readonly<Record<TopologyName, readonly ProviderSpec[] | TopologyOptions>>;
  /** Orders the epochs of several runs of this program. @defaultValue none: the wall clock orders them */
  readonly generation?: GenerationStore | undefined;
  /** Called with problems that did not make a call fail. The warning names the topology. */
  readonly onWarning?: ((warning: DirectoryWarning) => unknown) | undefined;
}

/**
 * Connects to a topology: registers the providers, watches them and fails over between them. Resolves when the watches have started;
 * `topology.ready()` resolves with the first usable snapshot. A backend that cannot be reached at the start does not reject the call: it
 * is retried, and the next provider takes over. Rejects with `VALIDATION_*` for invalid parameters, naming every problem, and with
 * `LIFECYCLE_ABORTED` when the signal aborts.
 */
export function connect(options: ConnectOptions): Promise<Topology>;
/**
 * Connects to many topologies. Each has its own providers, failover, guards, log and status; those with the same backend share
 * connections and watches. Rejects with `VALIDATION_*` if any of them is invalid, naming every problem. A topology that fails to start for
 * another reason causes a warning and is tried again, see `Directory.start`.
 */
export function connect(options: ConnectDirectoryOptions): Promise<Directory>;
export function connect(options: ConnectOptions | ConnectDirectoryOptions): Promise<Topology | Directory> {
  return "topologies" in options ? connectDirectory(options) : connectTopology(options);
}

async function connectTopology(options: ConnectOptions): Promise<Topology> {
  const { providers: specs, onWarning, signal, store = new TransientProviderStore(), ...rest } = options;
  const descriptors = toDescriptors(specs);
  const validation: ValidationOptions = { probe: "warn", ...options.validation };
  const service = new ProvisioningService({ ...rest, adapters: toAdapters(specs), store, validation });
  if (onWarning !== undefined) service.on("warning", onWarning);
  await service.start({ providers: descriptors, signal });
  passRegistered(service, specs, descriptors);
  return new Topology(service);
}

async function connectDirectory(options: ConnectDirectoryOptions): Promise<Directory> {
  const { signal, onWarning, generation, metricsRegistry, clock, random } = options;
  const topologies = Object.entries(options.topologies).map(([name, value]) => {
    const given: TopologyOptions = isList(value) ? { providers: value } : value;
    return { name, given, descriptors: toDescriptors(given.providers) };
  });
  const adapters = toAdapters(topologies.flatMap(({ given }) => given.providers));
  const stores = new Map<TopologyName, TopologyStores>(
    topologies.map(({ name, given }) => [
      name,
      { providers: given.store, snapshots: given.lastKnownGood?.store },
    ]),
  );
  const storesFor = (name: TopologyName) => stores.get(name) ?? {};
  const directory = new Directory({ adapters, storesFor, generation, metricsRegistry, clock, random });
  if (onWarning !== undefined) directory.on("warning", onWarning);
  const definitions = topologies.map(({ name, given, descriptors }): TopologyDefinition => {
    const { required, ports, lastKnownGood } = given;
    return {
      name,
      providers: descriptors,
      required,
      ports,
      lastKnownGood,
      health: { ...options.health, ...given.health },
      guards: { ...options.guards, ...given.guards },
      validation: { probe: "warn", ...options.validation, ...given.validation },
    };
  });
  await directory.start({ topologies: definitions }, { signal });
  for (const { name, given, descriptors } of topologies) {
    const { service } = directory.topology(name);
    const pass = () => passRegistered(service, given.providers, descriptors);
    pass();
    // A start that failed is tried again.
    service.registry.on("changed", pass);
  }
  return directory;
}

function isList<T>(value: readonly T[] | object): value is readonly T[] {
  return Array.isArray(value);
}

function passRegistered(
  { registry }: ProvisioningService,
  specs: readonly ProviderSpec[],
  descriptors: readonly ProviderDescriptorInput[],
): void {
  for (const [index, { id }] of descriptors.entries()) {
    const provider = registry.get(id)?.provider;
    if (provider !== undefined) specs[index]?.onRegistered?.(provider);
  }
}
