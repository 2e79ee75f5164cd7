import type * as z from "zod";
import type {
  ClusterProvider,
  ProbeOptions,
  ProviderCapabilities,
  ProviderContext,
  WatchOptions,
} from "../contracts/provider/cluster-provider.ts";
import type { DiscoveryEvent, ServiceDiscovery } from "../contracts/discovery/service-discovery.ts";
import type { ProviderAdapter } from "../contracts/provider/provider-adapter.ts";
import type { ProviderDescriptor } from "../contracts/provider/provider-descriptor.ts";
import type { SourceEvent } from "../contracts/provider/source-event.ts";
import { toProbeError } from "./probe-error.ts";
import { ProviderLife } from "./provider-life.ts";
import type { Reason } from "../errors/reason.ts";
import { throwIfAborted } from "../time/abort.ts";
import type { AdapterOptions, ProviderSpec, SpecOptions } from "../contracts/provider/provider-spec.ts";

/** The environment of one provider. */
export interface AdapterEnvironment<P> extends ProviderContext, AdapterOptions {
  readonly descriptor: ProviderDescriptor<P>;
}

/**
 * One opened provider, implemented by the author of an adapter. `ClusterProvider` documents what each function must do.
 */
export interface OpenProvider {
  /**
   * `signal` aborts with the caller's signal, and when the provider is disposed of. An error that is not a
   * `ProvisioningError` is converted to a `CONNECTIVITY_*` error.
   */
  probe(options: ProbeOptions): Promise<void>;
  /** Each call starts an independent watch. An error after `signal` has aborted is ignored. */
  watch(options: WatchOptions): AsyncIterable<SourceEvent>;
  /** Lists the settings that weaken security. @defaultValue an empty list */
  audit?(options: ProbeOptions): Promise<readonly Reason[]>;
  /** Resolves once a credential was replaced, see `ClusterProvider`. Omit it if credentials cannot change. */
  untilRenewed?(options: WatchOptions): Promise<void>;
  /**
   * Releases the resources of the provider, such as connections. Called once, after the `signal` of every probe and
   * watch has aborted.
   */
  close?(): Promise<void> | void;
}

/** The environment of one discovery. */
export interface DiscoveryEnvironment<P> extends ProviderContext, AdapterOptions {
  readonly params: P;
}

/** One opened discovery, implemented by the author of an adapter. */
export interface OpenDiscovery {
  /** See `ServiceDiscovery`. Each call starts an independent watch. An error after `signal` has aborted is ignored. */
  services(options: WatchOptions): AsyncIterable<DiscoveryEvent>;
  /** Releases the resources. Called once, after the `signal` of every watch has aborted. */
  close?(): Promise<void> | void;
}

export interface DiscoveryDefinition<P, Shared> {
  /** Checks the parameters of a discovery and fills in the defaults. */
  readonly params: z.ZodType<P>;
  /** Names of the further values of its services that templates can use, such as `namespace`. @defaultValue none */
  readonly values?: readonly string[] | undefined;
  /** Called once for each discovery. Does no I/O. */
  open(environment: DiscoveryEnvironment<P>, shared: Shared): OpenDiscovery;
}

// oxlint-disable-next-line typescript/no-explicit-any -- D is known only to the discovery itself
export interface AdapterDefinition<P, Input extends object, Shared = undefined, D = any> {
  /** The kind of provider, as descriptors name it. */
  readonly kind: string;
  /** Checks a descriptor's `params` and fills in the defaults. Secrets are `secretReferenceSchema`, never strings. */
  readonly params: z.ZodType<P, Input>;
  /**
   * Creates what all providers and discoveries of one adapter share, such as connections and watches. Does no I/O. An adapter is not
   * disposed of, so the users release what they have used when they close. @defaultValue nothing is shared
   */
  share?(): Shared;
  /** Called once for each provider. Does no I/O: a provider connects when it is first probed or watched. */
  open(environment: AdapterEnvironment<P>, shared: Shared): OpenProvider;
  /** Finds the services of such a backend. @defaultValue the kind cannot list services */
  readonly discovery?: DiscoveryDefinition<D, Shared> | undefined;
}

/**
 * One kind of provider. Called with parameters it returns a provider for `connect({ providers: [...] })`;
 * `createAdapter` returns the adapter for a configuration that names the kind.
 */
export interface DefinedAdapter<P, Input extends object> {
  (params: Input, options?: SpecOptions): ProviderSpec;
  readonly kind: string;
  readonly createAdapter: (options?: AdapterOptions) => ProviderAdapter<P>;
}

/**
 * Creates an adapter from the parts that are specific to a kind of provider. The schema's input is what a program
 * writes (parameters with a default can be omitted); its output `P` is passed to `open`.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- D is known only to the discovery itself
export function defineAdapter<P, Input extends object, Shared = undefined, D = any>(
  definition: AdapterDefinition<P, Input, Shared, D>,
): DefinedAdapter<P, Input> {
  const { kind, discovery } = definition;
  const createAdapter = (options: AdapterOptions = {}): ProviderAdapter<P> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- without `share`, the type parameter is undefined
    const shared = definition.share?.() as Shared;
    return {
      kind,
      params: definition.params,
      create: (descriptor, context) =>
        new DefinedProvider(descriptor, definition.open({ ...context, ...options, descriptor }, shared)),
      ...(discovery !== undefined && {
        discovery: {
          params: discovery.params,
          values: discovery.values ?? [],
          create: (params: D, context: ProviderContext) =>
            new DefinedDiscovery(kind, discovery.open({ ...context, ...options, params }, shared)),
        },
      }),
    };
  };
  const specify = (params: Input, { id }: SpecOptions = {}): ProviderSpec => ({
    kind,
    params,
    createAdapter,
    ...(id !== undefined && { id }),
  });
  return Object.assign(specify, { kind, createAdapter });
}

/** The part of a provider that is the same for every kind: disposal, and ending probes and watches. */
class DefinedProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #opened: OpenProvider;
  readonly #life: ProviderLife;
  readonly untilRenewed?: (options: WatchOptions) => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(descriptor: ProviderDescriptor, opened: OpenProvider) {
    this.descriptor = descriptor;
    this.#opened = opened;
    this.#life = new ProviderLife(descriptor.id);
    if (opened.untilRenewed !== undefined) this.untilRenewed = (options) => opened.untilRenewed!(options);
  }

  probe({ signal }: ProbeOptions): Promise<void> {
    return this.#life.probe(signal, async (either) => {
      try {
        await this.#opened.probe({ signal: either });
      } catch (error) {
        throwIfAborted(either);
        throw toProbeError(error);
      }
    });
  }

  async audit(options: ProbeOptions): Promise<readonly Reason[]> {
    return (await this.#opened.audit?.(options)) ?? [];
  }

  watch({ signal }: WatchOptions): AsyncGenerator<SourceEvent, void> {
    return this.#life.watch(signal, (either) => this.#opened.watch({ signal: either }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#life.end();
    await this.#opened.close?.();
  }
}

/** The part of a discovery that is the same for every kind: disposal, and ending watches. */
class DefinedDiscovery implements ServiceDiscovery {
  readonly #opened: OpenDiscovery;
  readonly #life: ProviderLife;
  #closing: Promise<void> | undefined;

  constructor(kind: string, opened: OpenDiscovery) {
    this.#opened = opened;
    this.#life = new ProviderLife(kind);
  }

  services({ signal }: WatchOptions): AsyncGenerator<DiscoveryEvent, void> {
    return this.#life.watch(signal, (either) => this.#opened.services({ signal: either }));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#life.end();
    await this.#opened.close?.();
  }
}
