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
import type { ConsulResponse, ConsulRequest, ConsulSource } from "../src/http/consul-client.ts";
import { consulParamsSchema } from "../src/consul-params.ts";
import { ConsulAgent } from "../src/agent/consul-agent.ts";
import { openService } from "../src/open-consul.ts";
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
 * A Consul server with one service, without HTTP and with any clock. It simulates the requests of its clients and the
 * responses to them, but not the connections. A request takes up to 20 ms.
 */
export class SimulatedConsul {
  /** The received requests, in order. */
  readonly received: ReceivedConsulRequest[] = [];
  readonly #options: SimulatedConsulOptions;
  #entries: readonly unknown[] = [];
  #index = 1_000;
  #isDown = false;
  #running = new AbortController();
  #changed = Promise.withResolvers<void>();

  constructor(options: SimulatedConsulOptions) {
    this.#options = options;
  }

  /** Creates a provider whose watches use this server. */
  createProvider(id: ProviderId, context: ProviderContext): ClusterProvider {
    const { createAdapter } = defineAdapter({
      kind: "consul",
      params: consulParamsSchema,
      open: (environment) => openService(environment, this.#connect(id)),
    });
    const params = consulParamsSchema.parse({ service: "web", nodeId: "service-id" });
    return createAdapter().create({ id, kind: "consul", priority: 1, params }, context);
  }

  /** Sets the instances of the service. */
  publish(...names: readonly string[]): void {
    const nodes: ClusterNodeInput[] = names.map((id) => ({ id, host: "10.0.0.1", port: 80 }));
    this.#entries = nodes.map(toEntry);
    this.#index++;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Stops the server and interrupts all requests. */
  stop(): void {
    this.#isDown = true;
    this.#running.abort(new ProvisioningError("STREAM_FAILED", "the connection was reset"));
    this.#running = new AbortController();
  }

  /**
   * Starts the server again. A restarted agent has the index of the servers; servers that lost their data start with a
   * low index.
   */
  start({ forgets }: { readonly forgets: boolean }): void {
    this.#isDown = false;
    if (forgets) this.#index = 10;
  }

  /** Each provider stands for a process of its own, so it shares nothing with the others. */
  #connect(client: ProviderId): ConsulSource {
    const agent = new ConsulAgent({
      ...this.#options,
      addresses: ["http://simulated"],
      maxBlockingQueries: 128,
    });
    const send = (request: ConsulRequest) => this.#respond(client, request);
    return {
      slots: agent.slots,
      activate: () => agent.activate(),
      open: (work, signal) => agent.openings("").run(work, signal),
      once: (key, call, signal) => agent.shared.run(key, call, signal),
      send,
      sendToAny: send,
      prefer() {},
      untilRenewed: (signal: AbortSignal) => untilAborted(new Promise<void>(() => undefined), signal),
    };
  }

  async #respond(client: ProviderId, { path, signal }: ConsulRequest): Promise<ConsulResponse> {
    const { clock, random } = this.#options;
    const running = this.#running.signal;
    const { searchParams } = new URL(path, "http://simulated");
    const isCheck = searchParams.get("filter")?.endsWith('Service.ID == ""') === true;
    const index = Number(searchParams.get("index") ?? 0);
    await sleep(random() * 20, { clock, signal });
    throwIfAborted(signal);
    if (this.#isDown) throw new ProvisioningError("CONNECTIVITY_REFUSED", "no server listens");
    const kind = isCheck ? "check" : index === 0 ? "read" : "poll";
    this.received.push({ at: clock.monotonic(), client, kind });
    if (index >= this.#index) {
      const waitMs = Number.parseInt(searchParams.get("wait") ?? "300000", 10);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      // Consul varies the wait too, so that clients that started together do not return together.
      using waits = new DisposableStack();
      waits.use(clock.schedule(waitMs * (1 + random() / 16), resolve));
      waits.use(whenAborted(running, () => reject(running.reason)));
      await untilAborted(Promise.race([promise, this.#changed.promise]), signal);
    }
    const headers = { "x-consul-index": String(this.#index), "x-consul-knownleader": "true" };
    const body = Buffer.from(JSON.stringify(isCheck ? [] : this.#entries));
    return { address: "simulated", headers, body };
  }
}
