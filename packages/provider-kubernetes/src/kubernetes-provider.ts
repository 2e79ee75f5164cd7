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
import { ApiClient } from "./api-client.ts";
import { EndpointWatch } from "./endpoint-watch.ts";
import type { KubernetesProviderParams } from "./kubernetes-params.ts";
import { probeCluster } from "./probe-cluster.ts";

/** The EndpointSlices of a Service, or of a label selector, as a provider. */
export class KubernetesProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<KubernetesProviderParams>;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #context: ProviderContext;
  readonly #client: ApiClient;
  readonly #stop = new AbortController();

  constructor(descriptor: ProviderDescriptor<KubernetesProviderParams>, context: ProviderContext) {
    this.descriptor = descriptor;
    this.#context = context;
    this.#client = new ApiClient(descriptor.params, context.clock);
  }

  /** Proves that this account may list and watch. Rejects with `LIFECYCLE_STOPPED` once disposed. */
  async probe({ signal }: ProbeOptions): Promise<void> {
    throwIfAborted(signal);
    throwIfAborted(this.#stop.signal);
    // Connections of its own: what a probe opened is closed with it.
    await using client = new ApiClient(this.descriptor.params, this.#context.clock);
    const probing = probeCluster({
      client,
      withinMs: Math.max(this.#context.heartbeatMs * 2, 2_000),
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
    const watch = new EndpointWatch({
      descriptor: this.descriptor,
      context: this.#context,
      client: this.#client,
      signal: AbortSignal.any([signal, this.#stop.signal]),
    });
    yield* watch.events();
    if (!signal.aborted) throwIfAborted(this.#stop.signal);
  }

  /** Running watches throw `LIFECYCLE_STOPPED`; every connection is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    const message = `the provider "${this.descriptor.id}" was disposed`;
    this.#stop.abort(new ProvisioningError("LIFECYCLE_STOPPED", message));
    await this.#client[Symbol.asyncDispose]();
  }
}
