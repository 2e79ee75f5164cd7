import { ProvisioningError, readUntilAborted, type Clock, type WatchOptions } from "@holdfast/core";
import type { CodeOrigin } from "./code-origin.ts";
import { paceEvents } from "./pace-events.ts";

export interface IsolatedWatchesOptions {
  readonly origin: CodeOrigin;
  /** Runs the adapter's code so that errors it throws later can be traced to it. */
  readonly run: <T>(work: () => T) => T;
  readonly clock: Clock;
}

/** The watches of one provider or discovery of an adapter from the configuration. They can be ended from outside. */
export class IsolatedWatches {
  readonly #options: IsolatedWatchesOptions;
  readonly #watches: Set<AbortController> = new Set();

  constructor(options: IsolatedWatchesOptions) {
    this.#options = options;
  }

  /** True for its own origin, and for the adapter's code that runs for no provider and no discovery. */
  isOf(origin: CodeOrigin): boolean {
    const own = this.#options.origin;
    const { adapter, providerId, isDiscovery = false } = origin;
    return origin === own || (providerId === undefined && !isDiscovery && adapter === own.adapter);
  }

  /** Ends every watch with `STREAM_FAILED`. Its message is read by clients, so it does not repeat that of `cause`. */
  cutOff(cause: unknown): void {
    const { adapter } = this.#options.origin;
    const message = `the code of the adapter "${adapter}" failed outside of any call`;
    for (const watch of this.#watches)
      watch.abort(new ProvisioningError("STREAM_FAILED", message, { cause }));
  }

  /** Runs a watch of the adapter's code. */
  async *watch<T>(
    { signal }: WatchOptions,
    begin: (options: WatchOptions) => AsyncIterable<T>,
  ): AsyncGenerator<T, void> {
    const { run, clock, origin } = this.#options;
    const cut = new AbortController();
    const either = AbortSignal.any([signal, cut.signal]);
    this.#watches.add(cut);
    try {
      const source = run(() => begin({ signal: either }));
      const iterator = run(() => source[Symbol.asyncIterator]());
      const inContext: AsyncIterator<T> = {
        next: () => run(() => iterator.next()),
        return: async () => (await run(() => iterator.return?.())) ?? { done: true, value: undefined },
      };
      const events = readUntilAborted({ [Symbol.asyncIterator]: () => inContext }, either);
      yield* paceEvents(events, { clock, adapter: origin.adapter });
    } catch (error) {
      if (cut.signal.aborted || !signal.aborted) throw error;
    } finally {
      this.#watches.delete(cut);
    }
  }
}
