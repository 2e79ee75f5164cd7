import type {
  ClusterProvider,
  ProbeOptions,
  ProviderCapabilities,
  ProviderDescriptor,
  SourceEvent,
  WatchOptions,
} from "@holdfast/core";
import type { CodeOrigin } from "./code-origin.ts";
import { IsolatedWatches, type IsolatedWatchesOptions } from "./isolated-watches.ts";

export interface IsolatedProviderOptions extends IsolatedWatchesOptions {
  readonly provider: ClusterProvider;
  readonly onDisposed: () => void;
}

/** Wraps a provider of an adapter from the configuration, so that its watches can be ended from outside. */
export class IsolatedProvider implements ClusterProvider {
  readonly audit?: NonNullable<ClusterProvider["audit"]>;
  readonly #options: IsolatedProviderOptions;
  readonly #watches: IsolatedWatches;

  constructor(options: IsolatedProviderOptions) {
    this.#options = options;
    this.#watches = new IsolatedWatches(options);
    const { provider, run } = options;
    if (provider.audit !== undefined) this.audit = (auditOptions) => run(() => provider.audit!(auditOptions));
  }

  get descriptor(): ProviderDescriptor {
    return this.#options.provider.descriptor;
  }

  get capabilities(): ProviderCapabilities {
    return this.#options.provider.capabilities;
  }

  isOf(origin: CodeOrigin): boolean {
    return this.#watches.isOf(origin);
  }

  cutOff(cause: unknown): void {
    this.#watches.cutOff(cause);
  }

  probe(options: ProbeOptions): Promise<void> {
    const { provider, run } = this.#options;
    return run(() => provider.probe(options));
  }

  watch(options: WatchOptions): AsyncGenerator<SourceEvent, void> {
    return this.#watches.watch(options, (inner) => this.#options.provider.watch(inner));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { provider, run, onDisposed } = this.#options;
    onDisposed();
    await run(() => provider[Symbol.asyncDispose]());
  }
}
