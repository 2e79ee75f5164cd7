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
import { toConfiguration } from "./to-configuration.ts";
import { Topology } from "./topology.ts";

export interface ConnectOptions {
  /** The providers, the most preferred first. The healthy one that is listed first is active. */
  readonly providers: readonly ProviderSpec[];
  /** Placement, Partition and Remoting: your code that follows the topology. @defaultValue none */
  readonly ports?: ServicePorts | undefined;
  /** How health is judged and when to fail over. */
  readonly health?: HealthOptions | undefined;
  /** What keeps members from being removed too soon. */
  readonly guards?: GuardOptions | undefined;
  /** How providers are checked before they are accepted. @defaultValue a failed connection is a warning, not an error */
  readonly validation?: ValidationOptions | undefined;
  /** Keeps the newest good snapshot across restarts. @defaultValue nothing is kept */
  readonly lastKnownGood?: LastKnownGoodOptions | undefined;
  /** Keeps the set of providers across restarts. @defaultValue it is kept in memory */
  readonly store?: ProviderStore | undefined;
  /** The prom-client `Registry` for the metrics. @defaultValue no metrics, and prom-client is not loaded */
  readonly metricsRegistry?: ProvisioningServiceOptions["metricsRegistry"];
  /** Receives what failed no call but should be known, for example entries of a backend that could not be read. */
  readonly onWarning?: ((warning: ServiceWarning) => unknown) | undefined;
  /** Ends the start. It has no effect on the returned topology: use `close()`. */
  readonly signal?: AbortSignal | undefined;
  /** @defaultValue the system clock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
}

/**
 * Connects to a topology: registers the providers, watches them and fails over between them. Resolves as soon as watching has
 * begun; `topology.ready()` resolves when there are members to work with. A backend that cannot be reached at the start does
 * not reject: it is retried, and the next provider takes over. Rejects with `VALIDATION_*` for bad parameters, naming every
 * problem, and with `LIFECYCLE_ABORTED` when the signal aborts.
 */
export async function connect(options: ConnectOptions): Promise<Topology> {
  const { providers: specs, onWarning, signal, store = new TransientProviderStore(), ...rest } = options;
  const { adapters, descriptors } = toConfiguration(specs);
  const validation: ValidationOptions = { probe: "warn", ...options.validation };
  const service = new ProvisioningService({ ...rest, adapters, store, validation });
  if (onWarning !== undefined) service.on("warning", onWarning);
  await service.start({ providers: descriptors, signal });
  for (const [index, { id }] of descriptors.entries()) {
    const provider = service.registry.get(id)?.provider;
    if (provider !== undefined) specs[index]?.onRegistered?.(provider);
  }
  return new Topology(service);
}
