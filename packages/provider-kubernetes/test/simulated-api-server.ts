import {
  sleep,
  throwIfAborted,
  untilAborted,
  whenAborted,
  ProvisioningError,
  type Clock,
  type ClusterProvider,
  type ProviderContext,
  type ProviderId,
  type Random,
} from "@holdfast/core";
import { defineAdapter, textOf } from "@holdfast/core/adapter";
import type { ApiRequest, WatchEvent } from "../src/access/api-client.ts";
import { kubernetesParamsSchema } from "../src/kubernetes-params.ts";
import type { WatchTarget } from "../src/access/watch-target.ts";
import { SERVICE_LABEL } from "../src/endpoints/slice-form.ts";
import { openEndpoints } from "../src/endpoints/open-endpoints.ts";
import { KubernetesShare } from "../src/sharing/kubernetes-share.ts";
import type { ClusterClient } from "../src/sharing/shared-cluster.ts";
import { toPeer, toRefusalError } from "../src/to-refusal-error.ts";
import { objectKeyOf } from "../src/wire/object-key.ts";
import { podsOf, type FakeSlice } from "./fake-api-server.ts";

const DEFAULT_SERVICE = "web";

export type ApiRequestKind = "list" | "check" | "watch";

export interface ReceivedApiRequest {
  readonly at: number;
  /** The adapter that sent it. */
  readonly client: string;
  readonly kind: ApiRequestKind;
}

export interface SimulatedApiServerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** How often another change in the cluster increases the version, in milliseconds. @defaultValue never */
  readonly changesEveryMs?: number | undefined;
}

/**
 * An API server with a few Services, without HTTP and with any clock. It simulates the requests of its clients and the
 * responses to them, but not the connections. A request takes up to 20 ms. Each Service has one slice.
 */
export class SimulatedApiServer {
  /** The received requests, in order. */
  readonly received: ReceivedApiRequest[] = [];
  /** The number of requests that were refused because the server was stopped. */
  refused = 0;
  readonly #options: SimulatedApiServerOptions;
  readonly #names = new Map<string, readonly string[]>();
  readonly #slices = new Map<string, FakeSlice>([
    [DEFAULT_SERVICE, podsOf(DEFAULT_SERVICE, DEFAULT_SERVICE)],
  ]);
  #changes: { readonly version: number; readonly slice: FakeSlice }[] = [];
  #counted = 1_000_000_000;
  #countedAt: number;
  #oldest = 0;
  #isDown = false;
  #running = new AbortController();
  #changed = Promise.withResolvers<void>();

  constructor(options: SimulatedApiServerOptions) {
    this.#options = options;
    this.#countedAt = options.clock.monotonic();
  }

  /** Creates a provider of an adapter of its own, whose watches use this server. */
  createProvider(id: ProviderId, context: ProviderContext): ClusterProvider {
    return this.createProviders(id)(DEFAULT_SERVICE, context);
  }

  /** Returns a function that creates providers of one adapter. `client` is the name of the adapter in `received`. */
  createProviders(client: string): (service: string, context: ProviderContext) => ClusterProvider {
    const { createAdapter } = defineAdapter({
      kind: "kubernetes",
      params: kubernetesParamsSchema,
      share: () => new KubernetesShare(() => this.#connect(client)),
      open: openEndpoints,
    });
    const adapter = createAdapter();
    return (service, context) => {
      const params = kubernetesParamsSchema.parse({ server: "http://simulated", service });
      return adapter.create({ id: `${client}-${service}`, kind: "kubernetes", priority: 1, params }, context);
    };
  }

  /** Sets the pods of the service "web". */
  publish(...names: readonly string[]): void {
    this.publishService(DEFAULT_SERVICE, ...names);
  }

  /** Sets the pods of a service. */
  publishService(service: string, ...names: readonly string[]): void {
    const version = this.#version + 1;
    this.#counted = version;
    this.#countedAt = this.#options.clock.monotonic();
    this.#names.set(service, names);
    const slice = podsOf(service, service, ...names);
    const stored = { ...slice, metadata: { ...slice.metadata, resourceVersion: String(version) } };
    this.#slices.set(service, stored);
    this.#changes.push({ version, slice: stored });
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Stops the server and interrupts all requests. */
  stop(): void {
    this.#isDown = true;
    this.#running.abort(new ProvisioningError("STREAM_FAILED", "the connection was reset"));
    this.#running = new AbortController();
  }

  /** Starts the server again. A single server has lost its history; one of several gets it from the others. */
  start({ forgets }: { readonly forgets: boolean }): void {
    this.#isDown = false;
    if (forgets) this.#oldest = this.#version;
  }

  /**
   * Simulates a restored backup: the version decreases by this amount, and the later versions that clients know no
   * longer exist.
   */
  restore(versionsAgo: number, ...names: readonly string[]): void {
    this.#counted = this.#version - versionsAgo;
    this.#changes = [];
    this.#oldest = 0;
    this.publish(...names);
  }

  /** The names of the pods of the service "web". */
  get content(): readonly string[] {
    return this.contentOf(DEFAULT_SERVICE);
  }

  /** The names of the pods of a service. */
  contentOf(service: string): readonly string[] {
    return this.#names.get(service) ?? [];
  }

  get #version(): number {
    const { changesEveryMs, clock } = this.#options;
    if (changesEveryMs === undefined) return this.#counted;
    return this.#counted + Math.floor((clock.monotonic() - this.#countedAt) / changesEveryMs);
  }

  #connect(client: string): ClusterClient {
    return {
      locate: () => Promise.resolve("simulated"),
      getJson: (asked) => this.#list(client, asked),
      getEvents: (asked) => this.#watch(client, asked),
      [Symbol.dispose]() {},
    };
  }

  async #list(client: string, { target, query, signal }: ApiRequest): Promise<unknown> {
    const isCheck = query["fieldSelector"] !== undefined;
    await this.#arrive(client, isCheck ? "check" : "list", signal);
    const version = this.#version;
    const items = isCheck ? [] : [...this.#slices.values()].filter((slice) => isSelected(slice, target));
    return { metadata: { resourceVersion: String(version) }, items };
  }

  async *#watch(
    client: string,
    { target, query, signal }: ApiRequest,
  ): AsyncGenerator<readonly WatchEvent[], void> {
    const { clock } = this.#options;
    const life = this.#running.signal;
    await this.#arrive(client, "watch", signal);
    const since = Number(query["resourceVersion"]);
    if (since < this.#oldest) throw toRefusalError({ status: 410, request: "watch" }, toPeer("simulated"));
    const over = Promise.withResolvers<void>();
    using waits = new DisposableStack();
    waits.use(clock.schedule(Number(query["timeoutSeconds"]) * 1_000, over.resolve));
    const { promise: broken, reject } = Promise.withResolvers<never>();
    broken.catch(() => undefined);
    waits.use(whenAborted(life, () => reject(life.reason)));
    yield [];
    let told = since;
    let isOver = false;
    void over.promise.then(() => (isOver = true));
    for (;;) {
      const { promise: news } = this.#changed;
      const fresh = this.#changes.filter(({ version }) => version > told);
      const own = fresh.filter(({ slice }) => isSelected(slice, target));
      told = fresh.at(-1)?.version ?? told;
      if (own.length > 0) yield own.map(toEvent);
      if (isOver) break;
      await untilAborted(Promise.race([news, over.promise, broken]), signal);
    }
    // Send only what is newer than the start of the watch.
    if (this.#version > told) yield [{ type: "bookmark", resourceVersion: String(this.#version) }];
  }

  async #arrive(client: string, kind: ApiRequestKind, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const life = this.#running.signal;
    await sleep(random() * 20, { clock, signal });
    throwIfAborted(signal);
    throwIfAborted(life);
    if (this.#isDown) {
      this.refused++;
      throw new ProvisioningError("CONNECTIVITY_REFUSED", "the connection was refused");
    }
    this.received.push({ at: clock.monotonic(), client, kind });
  }
}

function isSelected({ metadata }: FakeSlice, { labelSelector = "" }: WatchTarget): boolean {
  const [, wanted] = labelSelector.split("=");
  return wanted === undefined || textOf(metadata["labels"], SERVICE_LABEL) === wanted;
}

function toEvent({ version, slice }: { readonly version: number; readonly slice: FakeSlice }): WatchEvent {
  return { type: "put", key: objectKeyOf(slice)!, object: slice, resourceVersion: String(version) };
}
