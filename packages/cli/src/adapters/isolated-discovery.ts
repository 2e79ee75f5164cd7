import type { DiscoveryEvent, ServiceDiscovery, WatchOptions } from "@holdfast/core";
import type { CodeOrigin } from "./code-origin.ts";
import { IsolatedWatches, type IsolatedWatchesOptions } from "./isolated-watches.ts";

export interface IsolatedDiscoveryOptions extends IsolatedWatchesOptions {
  readonly discovery: ServiceDiscovery;
  readonly onDisposed: () => void;
}

/** Wraps a discovery of an adapter from the configuration, so that its watches can be ended from outside. */
export class IsolatedDiscovery implements ServiceDiscovery {
  readonly #options: IsolatedDiscoveryOptions;
  readonly #watches: IsolatedWatches;

  constructor(options: IsolatedDiscoveryOptions) {
    this.#options = options;
    this.#watches = new IsolatedWatches(options);
  }

  isOf(origin: CodeOrigin): boolean {
    return this.#watches.isOf(origin);
  }

  cutOff(cause: unknown): void {
    this.#watches.cutOff(cause);
  }

  services(options: WatchOptions): AsyncGenerator<DiscoveryEvent, void> {
    return this.#watches.watch(options, (inner) => this.#options.discovery.services(inner));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { discovery, run, onDisposed } = this.#options;
    onDisposed();
    await run(() => discovery[Symbol.asyncDispose]());
  }
}
