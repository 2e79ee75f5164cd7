import {
  ProvisioningError,
  sleep,
  throwIfAborted,
  untilAborted,
  whenAborted,
  type Clock,
  type ClusterNodeInput,
  type ClusterProvider,
  type ProviderContext,
  type ProviderId,
  type Random,
} from "@holdfast/core";
import { defineAdapter } from "@holdfast/core/adapter";
import type { ConsulAnswer, ConsulRequest, ConsulSource } from "../src/http/consul-client.ts";
import { consulParamsSchema } from "../src/consul-params.ts";
import { openConsul } from "../src/open-consul.ts";
import { toEntry } from "./fake-consul.ts";

export type ConsulRequestKind = "read" | "poll" | "check";

export interface ReceivedConsulRequest {
  readonly at: number;
  readonly client: ProviderId;
  readonly kind: ConsulRequestKind;
}

export interface SimulatedConsulOptions {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * A Consul of one service without HTTP, on whatever clock it is given: what its clients' requests come to and what it answers, and
 * nothing about how. A request takes up to 20 ms.
 */
export class SimulatedConsul {
  /** What has reached it, in order. */
  readonly received: ReceivedConsulRequest[] = [];
  readonly #options: SimulatedConsulOptions;
  #entries: readonly unknown[] = [];
  #index = 1_000;
  #isDown = false;
  #life = new AbortController();
  #news = Promise.withResolvers<void>();

  constructor(options: SimulatedConsulOptions) {
    this.#options = options;
  }

  /** A provider whose watches ask this server. */
  createProvider(id: ProviderId, context: ProviderContext): ClusterProvider {
    const { createAdapter } = defineAdapter({
      kind: "consul",
      params: consulParamsSchema,
      open: (environment) => openConsul(environment, this.#connect(id)),
    });
    const params = consulParamsSchema.parse({ service: "web", nodeId: "service-id" });
    return createAdapter().create({ id, kind: "consul", priority: 1, params }, context);
  }

  /** Makes these instances the service's whole content. */
  publish(...names: readonly string[]): void {
    const nodes: ClusterNodeInput[] = names.map((id) => ({ id, host: "10.0.0.1", port: 80 }));
    this.#entries = nodes.map(toEntry);
    this.#index++;
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  /** Breaks whatever is under way. */
  stop(): void {
    this.#isDown = true;
    this.#life.abort(new ProvisioningError("STREAM_FAILED", "the connection was reset"));
    this.#life = new AbortController();
  }

  /** An agent that was restarted has the servers' index; servers that lost their data start low again. */
  start({ forgets }: { readonly forgets: boolean }): void {
    this.#isDown = false;
    if (forgets) this.#index = 10;
  }

  #connect(client: ProviderId): ConsulSource & Disposable {
    const ask = (request: ConsulRequest) => this.#answer(client, request);
    return {
      ask,
      askAny: ask,
      prefer() {},
      untilRenewed: (signal: AbortSignal) => untilAborted(new Promise<void>(() => undefined), signal),
      [Symbol.dispose]() {},
    };
  }

  async #answer(client: ProviderId, { path, signal }: ConsulRequest): Promise<ConsulAnswer> {
    const { clock, random } = this.#options;
    const life = this.#life.signal;
    const { searchParams } = new URL(path, "http://simulated");
    const isCheck = searchParams.get("filter")?.endsWith('Service.ID == ""') === true;
    const index = Number(searchParams.get("index") ?? 0);
    await sleep(random() * 20, { clock, signal });
    throwIfAborted(signal);
    if (this.#isDown) throw new ProvisioningError("CONNECTIVITY_REFUSED", "nobody listens");
    const kind = isCheck ? "check" : index === 0 ? "read" : "poll";
    this.received.push({ at: clock.monotonic(), client, kind });
    if (index >= this.#index) {
      const waitMs = Number.parseInt(searchParams.get("wait") ?? "300000", 10);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // As Consul does, so that those who began together do not come back together.
      using waits = new DisposableStack();
      waits.use(clock.schedule(waitMs * (1 + random() / 16), resolve));
      waits.use(whenAborted(life, () => reject(life.reason)));
      await untilAborted(Promise.race([promise, this.#news.promise]), signal);
    }
    const headers = { "x-consul-index": String(this.#index), "x-consul-knownleader": "true" };
    const body = Buffer.from(JSON.stringify(isCheck ? [] : this.#entries));
    return { address: "simulated", headers, body };
  }
}
