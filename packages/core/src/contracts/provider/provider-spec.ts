import type { ClusterProvider } from "./cluster-provider.ts";
import type { AnyProviderAdapter } from "./provider-adapter.ts";
import type { ProviderId } from "../../model/provider-id.ts";

export interface AdapterOptions {
  /** The folder that relative paths in parameters start from. @defaultValue the current folder of the process */
  readonly baseDir?: string | undefined;
}

/** A provider as a program configures it: an adapter and the parameters for it. */
export interface ProviderSpec {
  readonly kind: string;
  /** The provider's id. @defaultValue the kind, with a number when several providers have the same kind */
  readonly id?: ProviderId | undefined;
  /** Not checked yet: the adapter's schema checks them when the provider is registered. */
  readonly params: object;
  readonly createAdapter: (options?: AdapterOptions) => AnyProviderAdapter;
  /** Called with the provider once `connect` has registered it. */
  onRegistered?(provider: ClusterProvider): void;
}

export interface SpecOptions {
  readonly id?: ProviderId | undefined;
}
