import type { ClusterProvider } from "./cluster-provider.ts";
import type { AnyProviderAdapter } from "./provider-adapter.ts";
import type { ProviderId } from "../../model/provider-id.ts";

export interface AdapterOptions {
  /** The base folder of relative paths in parameters. @defaultValue the current folder of the process */
  readonly baseDir?: string | undefined;
  /**
   * Identifies this process among the daemons that follow each other: the id that its server sends. An adapter that follows daemons
   * recognizes content that came through this process by it. @defaultValue the process serves nothing that could be followed
   */
  readonly instance?: string | undefined;
}

/** A provider as configured by a program: an adapter and its parameters. */
export interface ProviderSpec {
  readonly kind: string;
  /** The provider's id. @defaultValue the kind, with a number when several providers have the same kind */
  readonly id?: ProviderId | undefined;
  /** The parameters, which the adapter's schema checks when the provider is registered. */
  readonly params: object;
  readonly createAdapter: (options?: AdapterOptions) => AnyProviderAdapter;
  /** Called with the provider once `connect` has registered it. */
  onRegistered?(provider: ClusterProvider): void;
}

export interface SpecOptions {
  readonly id?: ProviderId | undefined;
}
