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
import { auditConsul } from "./http/audit-consul.ts";
import { ConsulClient, type ConsulSource } from "./http/consul-client.ts";
import type { ConsulProviderParams } from "./consul-params.ts";
import { probeConsul } from "./probe-consul.ts";
import { ServiceWatch } from "./watch/service-watch.ts";

/** A Consul service as a provider. */
export class ConsulProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<ConsulProviderParams>;
  readonly capabilities: ProviderCapabilities = { watch: true };
  readonly #context: ProviderContext;
  readonly #client: ConsulSource & Disposable;
  readonly #newest: { index: number } = { index: 0 };
  readonly #life: ProviderLife;

  /** `client` is what its watches ask; the provider disposes of it. */
  constructor(
    descriptor: ProviderDescriptor<ConsulProviderParams>,
    context: ProviderContext,
    client: ConsulSource & Disposable = new ConsulClient(descriptor.params, context.clock),
  ) {
    this.descriptor = descriptor;
    this.#context = context;
    this.#client = client;
    this.#life = new ProviderLife(descriptor.id);
  }

  /** Proves that a leader is known and that the token may read the service. Rejects with `LIFECYCLE_STOPPED` once disposed. */
  probe(options: ProbeOptions): Promise<void> {
    const { params } = this.descriptor;
    const withinMs = this.#context.heartbeatMs * 2;
    return this.#life.probe(options.signal, async (signal) => {
      // A client of its own: the connections that a probe opens are closed with it.
      using client = new ConsulClient(params, this.#context.clock);
      try {
        await probeConsul({ client, params, withinMs, signal });
      } catch (error) {
        throw toProbeError(error);
      }
    });
  }

  /** Lists the addresses to which the token is sent without TLS. */
  audit(): Promise<readonly Reason[]> {
    return Promise.resolve(auditConsul(this.descriptor.params));
  }

  /** The token is looked at once a second. */
  untilRenewed({ signal }: WatchOptions): Promise<void> {
    return this.#client.untilRenewed(signal);
  }

  /** Throws `LIFECYCLE_STOPPED` once disposed. */
  watch(options: WatchOptions): AsyncGenerator<SourceEvent, void> {
    return this.#life.watch(options.signal, (signal) => {
      const watch = new ServiceWatch({
        descriptor: this.descriptor,
        context: this.#context,
        client: this.#client,
        newest: this.#newest,
        signal,
      });
      return watch.events();
    });
  }

  /** Running watches throw `LIFECYCLE_STOPPED`; every connection is closed. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#life.end();
    this.#client[Symbol.dispose]();
    return Promise.resolve();
  }
}
