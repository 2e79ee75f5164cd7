import type * as z from "zod";
import type { DiscoveryAdapter } from "../discovery/service-discovery.ts";
import type { ClusterProvider, ProviderContext } from "./cluster-provider.ts";
import type { ProviderDescriptor } from "./provider-descriptor.ts";

/** The code for one kind of provider: the schema of its parameters, and a factory. */
export interface ProviderAdapter<P = unknown> {
  readonly kind: string;
  /** Checks a descriptor's `params` and fills in the defaults. Secrets are `secretReferenceSchema`, never strings. */
  readonly params: z.ZodType<P>;
  /** Creates a provider without I/O. The provider connects when it is first probed or watched. */
  create(descriptor: ProviderDescriptor<P>, context: ProviderContext): ClusterProvider;
  /** Finds the services of such a backend. Absent when the kind cannot list services. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the parameters meet only the schema beside them
  readonly discovery?: DiscoveryAdapter<any> | undefined;
}

/** An adapter with parameters of any type. Registries hold adapters of different kinds with this type. */
// oxlint-disable-next-line typescript/no-explicit-any -- P is invariant; only the adapter's own schema meets its own create
export type AnyProviderAdapter = ProviderAdapter<any>;
