import type { Clock, ProviderSpec, ProviderStore, Random } from "@holdfast/core";
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
import { connectDirectory, type ConnectDirectoryOptions } from "./connect-directory.ts";
import type { Directory } from "./directory/directory.ts";
import { passRegistered } from "./pass-registered.ts";
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

/**
 * Connects to a topology: registers the providers, watches them and fails over between them. Resolves when the watches have started;
 * `topology.ready()` resolves with the first usable snapshot. A backend that cannot be reached at the start does not reject the call: it
 * is retried, and the next provider takes over. Rejects with `VALIDATION_*` for invalid parameters, naming every problem, and with
 * `LIFECYCLE_ABORTED` when the signal aborts.
 */
export function connect(options: ConnectOptions): Promise<Topology>;
/**
 * Connects to many topologies: those that are named, and those of the services that backends list (`discover`). Each has its own
 * providers, failover, guards, log and status; those with the same backend share connections and watches. Rejects with `VALIDATION_*` if
 * any of them is invalid, naming every problem. A topology that fails to start for another reason causes a warning and is tried again, see
 * `Directory.start`.
 */
export function connect(options: ConnectDirectoryOptions): Promise<Directory>;
export function connect(options: ConnectOptions | ConnectDirectoryOptions): Promise<Topology | Directory> {
  return "providers" in options ? connectTopology(options) : connectDirectory(options);
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
