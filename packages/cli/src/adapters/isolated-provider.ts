import {
  ProvisioningError,
  readUntilAborted,
  type Clock,
  type ClusterProvider,
  type ProbeOptions,
  type ProviderCapabilities,
  type ProviderDescriptor,
  type SourceEvent,
  type WatchOptions,
} from "@holdfast/core";
import type { CodeOrigin } from "./code-origin.ts";
import { paceEvents } from "./pace-events.ts";

export interface IsolatedProviderOptions {
  readonly provider: ClusterProvider;
  readonly origin: CodeOrigin;
  /** Runs the provider's code so that errors it throws later can be traced to it. */
  readonly run: <T>(work: () => T) => T;
  readonly clock: Clock;
  readonly onDisposed: () => void;
}

/** Wraps a provider of an adapter from the configuration, so that its watches can be ended from outside. */
export class IsolatedProvider implements ClusterProvider {
  readonly audit?: NonNullable<ClusterProvider["audit"]>;
  readonly #options: IsolatedProviderOptions;
  readonly #watches: Set<AbortController> = new Set();

  constructor(options: IsolatedProviderOptions) {
    this.#options = options;
    const { provider, run } = options;
    if (provider.audit !== undefined) this.audit = (auditOptions) => run(() => provider.audit!(auditOptions));
  }

  get descriptor(): ProviderDescriptor {
    return this.#options.provider.descriptor;
  }

  get capabilities(): ProviderCapabilities {
    return this.#options.provider.capabilities;
  }

  isOf({ adapter, providerId }: CodeOrigin): boolean {
    const { origin } = this.#options;
    return providerId === undefined ? adapter === origin.adapter : providerId === origin.providerId;
  }

  /** Ends every watch with `STREAM_FAILED`. Its message is read by clients, so it does not repeat that of `cause`. */
  cutOff(cause: unknown): void {
    const { adapter } = this.#options.origin;
    const message = `the code of the adapter "${adapter}" failed outside of any call`;
    for (const watch of this.#watches)
      watch.abort(new ProvisioningError("STREAM_FAILED", message, { cause }));
  }

  probe(options: ProbeOptions): Promise<void> {
    const { provider, run } = this.#options;
    return run(() => provider.probe(options));
  }

  async *watch({ signal }: WatchOptions): AsyncGenerator<SourceEvent, void> {
    const { provider, run } = this.#options;
    const cut = new AbortController();
    const either = AbortSignal.any([signal, cut.signal]);
    this.#watches.add(cut);
    try {
      const source = run(() => provider.watch({ signal: either }));
      const iterator = run(() => source[Symbol.asyncIterator]());
      const inContext: AsyncIterator<SourceEvent> = {
        next: () => run(() => iterator.next()),
        return: async () => (await run(() => iterator.return?.())) ?? { done: true, value: undefined },
      };
      const { clock, origin } = this.#options;
      const events = readUntilAborted({ [Symbol.asyncIterator]: () => inContext }, either);
      yield* paceEvents(events, { clock, adapter: origin.adapter });
    } catch (error) {
      if (cut.signal.aborted || !signal.aborted) throw error;
    } finally {
      this.#watches.delete(cut);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { provider, run, onDisposed } = this.#options;
    onDisposed();
    await run(() => provider[Symbol.asyncDispose]());
  }
}
