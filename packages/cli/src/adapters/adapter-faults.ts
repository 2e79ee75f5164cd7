import { AsyncLocalStorage } from "node:async_hooks";
import type { AnyProviderAdapter, ProviderContext } from "@holdfast/core";
import type { CodeOrigin } from "./code-origin.ts";
import { IsolatedDiscovery } from "./isolated-discovery.ts";
import { IsolatedProvider } from "./isolated-provider.ts";

/**
 * Finds out which adapter's code threw an error outside of any call (in a timer, on a socket, in a promise without a
 * handler), and ends the watches of that provider or discovery, which counts as a failure like an error thrown by a watch.
 */
export class AdapterFaults {
  readonly #origins: AsyncLocalStorage<CodeOrigin> = new AsyncLocalStorage();
  readonly #isolated: Set<IsolatedProvider | IsolatedDiscovery> = new Set();

  /** Runs code of an adapter. Asynchronous work that it starts is attributed to the same origin. */
  run<T>(origin: CodeOrigin, work: () => T): T {
    return this.#origins.run(origin, work);
  }

  /** Wraps an adapter so that its providers and discoveries are registered here. */
  isolate(adapter: AnyProviderAdapter, name: string): AnyProviderAdapter {
    const { kind, params, discovery } = adapter;
    return {
      kind,
      params,
      create: (descriptor, context) =>
        this.#isolate({ adapter: name, providerId: descriptor.id }, (run, origin, onDisposed) => {
          const provider = run(() => adapter.create(descriptor, context));
          return new IsolatedProvider({ provider, origin, run, clock: context.clock, onDisposed });
        }),
      ...(discovery !== undefined && {
        discovery: {
          params: discovery.params,
          values: discovery.values,
          create: (given: unknown, context: ProviderContext) =>
            this.#isolate({ adapter: name, isDiscovery: true }, (run, origin, onDisposed) => {
              const inner = run(() => discovery.create(given, context));
              return new IsolatedDiscovery({
                discovery: inner,
                origin,
                run,
                clock: context.clock,
                onDisposed,
              });
            }),
        },
      }),
    };
  }

  /**
   * Call this where the error is received, in its own asynchronous context. Returns `undefined` when no adapter caused
   * it.
   */
  receive(error: unknown): CodeOrigin | undefined {
    const origin = this.#origins.getStore();
    if (origin === undefined) return undefined;
    for (const isolated of this.#isolated) if (isolated.isOf(origin)) isolated.cutOff(error);
    return origin;
  }

  #isolate<T extends IsolatedProvider | IsolatedDiscovery>(
    origin: CodeOrigin,
    create: (run: <R>(work: () => R) => R, origin: CodeOrigin, onDisposed: () => void) => T,
  ): T {
    const isolated: T = create(
      (work) => this.run(origin, work),
      origin,
      () => void this.#isolated.delete(isolated),
    );
    this.#isolated.add(isolated);
    return isolated;
  }
}
