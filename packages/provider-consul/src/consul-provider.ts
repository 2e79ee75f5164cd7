import {
  ProvisioningError,
  throwIfAborted,
  toProbeError,
  type ClusterProvider,
  type ProbeOptions,
  type ProviderCapabilities,
  type ProviderContext,
  type ProviderDescriptor,
  type ProviderEvent,
  type WatchOptions,
} from "@holdfast/core";
import { ConsulClient } from "./consul-client.ts";
import type { ConsulProviderParams } from "./consul-params.ts";
import { probeConsul } from "./probe-consul.ts";
import { ServiceWatch } from "./service-watch.ts";

/** A Consul service as a provider. */
export class ConsulProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<ConsulProviderParams>;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #context: ProviderContext;
  readonly #client: ConsulClient;
  readonly #newest: { index: number } = { index: 0 };
  readonly #stop = new AbortController();

  constructor(descriptor: ProviderDescriptor<ConsulProviderParams>, context: ProviderContext) {
    this.descriptor = descriptor;
    this.#context = context;
    this.#client = new ConsulClient(descriptor.params, context.clock);
  }

  /** Proves that a leader is known and that the token may read the service. Rejects with `LIFECYCLE_STOPPED` once disposed. */
  async probe({ signal }: ProbeOptions): Promise<void> {
    throwIfAborted(signal);
    throwIfAborted(this.#stop.signal);
    // Connections of its own: what a probe opened is closed with it.
    using client = new ConsulClient(this.descriptor.params, this.#context.clock);
    const probing = probeConsul({
      client,
      params: this.descriptor.params,
      withinMs: this.#context.heartbeatMs * 2,
      signal: AbortSignal.any([signal, this.#stop.signal]),
    });
    await probing.catch((error: unknown) => {
      throw toProbeError(error);
    });
  }

  /** Throws `LIFECYCLE_STOPPED` once disposed. */
  async *watch({ signal }: WatchOptions): AsyncGenerator<ProviderEvent, void> {
    if (signal.aborted) return;
    throwIfAborted(this.#stop.signal);
    const watch = new ServiceWatch({
      descriptor: this.descriptor,
      context: this.#context,
      client: this.#client,
      newest: this.#newest,
      signal: AbortSignal.any([signal, this.#stop.signal]),
    });
    yield* watch.events();
    if (!signal.aborted) throwIfAborted(this.#stop.signal);
  }

  /** Running watches throw `LIFECYCLE_STOPPED`; every connection is closed. */
  [Symbol.asyncDispose](): Promise<void> {
    const message = `the provider "${this.descriptor.id}" was disposed`;
    this.#stop.abort(new ProvisioningError("LIFECYCLE_STOPPED", message));
    this.#client[Symbol.dispose]();
    return Promise.resolve();
  }
}
