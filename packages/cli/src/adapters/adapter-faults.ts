import { AsyncLocalStorage } from "node:async_hooks";
import type { AnyProviderAdapter } from "@holdfast/core";
import type { CodeOrigin } from "./code-origin.ts";
import { IsolatedProvider } from "./isolated-provider.ts";

/**
 * Finds out which adapter's code threw an error outside of any call (in a timer, on a socket, in a promise without a
 * handler), and ends the watches of that provider, which counts as a failure like an error thrown by a watch.
 */
export class AdapterFaults {
  readonly #origins: AsyncLocalStorage<CodeOrigin> = new AsyncLocalStorage();
  readonly #providers: Set<IsolatedProvider> = new Set();

  /** Runs code of an adapter. Asynchronous work that it starts is attributed to the same origin. */
  run<T>(origin: CodeOrigin, work: () => T): T {
    return this.#origins.run(origin, work);
  }

  /** Wraps an adapter so that its providers are registered here. */
  isolate(adapter: AnyProviderAdapter, name: string): AnyProviderAdapter {
    const { kind, params } = adapter;
    return {
      kind,
      params,
      create: (descriptor, context) => {
        const origin = { adapter: name, providerId: descriptor.id };
        const run = <T>(work: () => T): T => this.run(origin, work);
        const provider = run(() => adapter.create(descriptor, context));
        const isolated = new IsolatedProvider({
          provider,
          origin,
          run,
          clock: context.clock,
          onDisposed: () => void this.#providers.delete(isolated),
        });
        this.#providers.add(isolated);
        return isolated;
      },
    };
  }

  /**
   * Call this where the error is received, in its own asynchronous context. Returns `undefined` when no adapter caused
   * it.
   */
  receive(error: unknown): CodeOrigin | undefined {
    const origin = this.#origins.getStore();
    if (origin === undefined) return undefined;
    for (const provider of this.#providers) if (provider.isOf(origin)) provider.cutOff(error);
    return origin;
  }
}
