import type {
  ClusterProvider,
  ProbeOptions,
  ProviderCapabilities,
  ProviderContext,
  ProviderDescriptor,
  SourceEvent,
  Reason,
  WatchOptions,
} from "@holdfast/core";
import { ProviderLife, toProbeError } from "@holdfast/core/adapter";
import { ApiClient, type EndpointSource } from "./access/api-client.ts";
import { auditAccess } from "./access/audit-access.ts";
import { EndpointWatch } from "./watch/endpoint-watch.ts";
import type { KubernetesProviderParams } from "./kubernetes-params.ts";
import { probeCluster } from "./access/probe-cluster.ts";
import { WatchMemory } from "./watch/watch-memory.ts";

/** The EndpointSlices of a Service, or of a label selector, as a provider. */
export class KubernetesProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<KubernetesProviderParams>;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #context: ProviderContext;
  readonly #client: EndpointSource & AsyncDisposable;
  readonly #memory: WatchMemory;
  readonly #life: ProviderLife;

  /** `client` is what its watches ask; it is disposed of with the provider. */
  constructor(
    descriptor: ProviderDescriptor<KubernetesProviderParams>,
    context: ProviderContext,
    client: EndpointSource & AsyncDisposable = new ApiClient(descriptor.params, context.clock),
  ) {
    this.descriptor = descriptor;
    this.#context = context;
    this.#client = client;
    this.#memory = new WatchMemory(context.clock);
    this.#life = new ProviderLife(descriptor.id);
  }

  /** Proves that this account may list and watch. Rejects with `LIFECYCLE_STOPPED` once disposed. */
  probe(options: ProbeOptions): Promise<void> {
    const withinMs = Math.max(this.#context.heartbeatMs * 2, 2_000);
    return this.#life.probe(options.signal, async (signal) => {
      // Connections of its own: what a probe opened is closed with it.
      await using client = new ApiClient(this.descriptor.params, this.#context.clock);
      try {
        await probeCluster({ client, withinMs, signal });
      } catch (error) {
        throw toProbeError(error);
      }
    });
  }

  /** Reads the kubeconfig; see `ClusterProvider.audit`. */
  audit({ signal }: ProbeOptions): Promise<readonly Reason[]> {
    return auditAccess(this.descriptor.params, signal);
  }

  /** Throws `LIFECYCLE_STOPPED` once disposed. */
  watch(options: WatchOptions): AsyncGenerator<SourceEvent, void> {
    return this.#life.watch(options.signal, (signal) => {
      const watch = new EndpointWatch({
        descriptor: this.descriptor,
        context: this.#context,
        client: this.#client,
        memory: this.#memory,
        signal,
      });
      return watch.events();
    });
  }

  /** Running watches throw `LIFECYCLE_STOPPED`; every connection is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.end();
    await this.#client[Symbol.asyncDispose]();
  }
}
