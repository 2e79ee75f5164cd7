import type * as z from "zod";
import type { ClusterProvider, ProviderContext } from "./cluster-provider.ts";
import type { ProviderDescriptor } from "./provider-descriptor.ts";

/** The code for one kind of provider: its parameters' schema and how to make one. */
export interface ProviderAdapter<P = unknown> {
  readonly kind: string;
  /** Checks and fills in a descriptor's `params`. Secrets are `secretReferenceSchema`, never strings. */
  readonly params: z.ZodType<P>;
  /** Does no I/O: what it makes connects when first probed or watched. */
  create(descriptor: ProviderDescriptor<P>, context: ProviderContext): ClusterProvider;
}

/** An adapter whose parameters are its own business: how registries hold adapters of different kinds together. */
// oxlint-disable-next-line typescript/no-explicit-any -- P is invariant; only the adapter's own schema meets its own create
export type AnyProviderAdapter = ProviderAdapter<any>;
