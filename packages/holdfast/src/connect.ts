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
