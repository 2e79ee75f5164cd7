import type { ProviderId } from "@holdfast/core";

/**
 * The adapter whose code is running, and the provider it is running for, if known. Providers of several topologies may have the
 * same id, so each provider and each discovery has an origin of its own, which is compared by identity.
 */
export interface CodeOrigin {
  /** The adapter's name in the configuration. */
  readonly adapter: string;
  readonly providerId?: ProviderId | undefined;
  /** True while the code runs for a discovery of services, not for a provider. */
  readonly isDiscovery?: boolean | undefined;
}
