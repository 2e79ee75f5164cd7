import {
  createDeadline,
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
import { ConnectionCount } from "./connection-count.ts";
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

/** The content of a service from a moment on. */
export interface ContentSince {
  readonly at: number;
  /** The ids of the members, sorted, separated by commas. */
  readonly ids: string;
}

interface SimulatedService {
  entries: readonly unknown[];
  index: number;
  readonly history: ContentSince[];
}

/** The service of `createProvider` and `publish`. */
const WEB = "web";
const ADDRESS = "http://simulated";
/** A process whose providers share the agent. */
export interface SimulatedProcess {
  readonly connections: ConnectionCount;
  createProvider(id: ProviderId, service: string): ClusterProvider;
}

/**
 * A Consul server without HTTP and with any clock. It simulates the requests of its clients and the responses to them, but not
 * idle connections. A request takes up to 20 ms.
 */
export class SimulatedConsul {
  /** The received requests, in order. */
  readonly received: ReceivedConsulRequest[] = [];
  /** The number of requests while the server was stopped. */
  missed = 0;
  readonly #options: SimulatedConsulOptions;
  readonly #services = new Map<string, SimulatedService>();
  #index = 1_000;
  #isDown = false;
  #isHanging = false;
  #running = new AbortController();
  #changed = Promise.withResolvers<void>();
  readonly #processes: ConnectionCount[] = [];

  constructor(options: SimulatedConsulOptions) {
    this.#options = options;
  }

  /** Creates a provider whose watches use this server. It stands for a process of its own, and shares nothing. */
  createProvider(id: ProviderId, context: ProviderContext): ClusterProvider {
    return this.createProcess({ maxBlockingQueries: 128, context }).createProvider(id, WEB);
  }

  createProcess({
    maxBlockingQueries,
    context,
  }: {
    readonly maxBlockingQueries: number;
    readonly context: ProviderContext;
  }): SimulatedProcess {
    const connections = new ConnectionCount(this.#options.clock);
    this.#processes.push(connections);
    const adapter = defineAdapter({
      kind: "consul",
      params: consulParamsSchema,
      share: () => new ConsulAgent({ ...this.#options, addresses: [ADDRESS], maxBlockingQueries }),
      open: (environment, agent) =>
        openService(environment, this.#connect({ client: environment.descriptor.id, agent, connections })),
    }).createAdapter();
    return {
      connections,
      createProvider(id, service) {
        const params = consulParamsSchema.parse({ service, nodeId: "service-id" });
        return adapter.create({ id, kind: "consul", priority: 1, params }, context);
      },
    };
  }

  /** Sets the instances of the service "web". */
  publish(...names: readonly string[]): void {
    this.publishTo(WEB, ...names);
  }

  /** Sets the instances of a service. */
  publishTo(service: string, ...names: readonly string[]): void {
    const nodes: ClusterNodeInput[] = names.map((id) => ({ id, host: "10.0.0.1", port: 80 }));
    const found = this.#find(service);
    this.#index++;
    found.entries = nodes.map(toEntry);
    found.index = this.#index;
    found.history.push({ at: this.#options.clock.monotonic(), ids: names.toSorted().join() });
    this.#wakeAll();
  }

  /** Returns the contents that a service has had, in order. */
  historyOf(service: string): readonly ContentSince[] {
    return this.#find(service).history;
  }

  /** Stops the server and interrupts all requests. */
  stop(): void {
    this.#isDown = true;
    for (const connections of this.#processes) connections.reset();
    this.#running.abort(new ProvisioningError("STREAM_FAILED", "the connection was reset"));
    this.#running = new AbortController();
  }

  /**
   * Starts the server again. A restarted agent has the index of the servers; servers that lost their data start with a
   * low index. The instances are registered again at once.
   */
  start({ forgets }: { readonly forgets: boolean }): void {
    this.#isDown = false;
    if (!forgets) return;
    this.#index = 10;
    for (const service of this.#services.values()) service.index = ++this.#index;
  }

  /** Accepts requests and does not respond to them, until `resume`. */
  hang(): void {
    this.#isHanging = true;
  }

  resume(): void {
    this.#isHanging = false;
    this.#wakeAll();
  }

  #find(service: string): SimulatedService {
    const found = this.#services.get(service) ?? { entries: [], index: this.#index, history: [] };
    this.#services.set(service, found);
    return found;
  }

  #wakeAll(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #connect(peer: SimulatedPeer & { readonly agent: ConsulAgent }): ConsulSource {
    const { agent } = peer;
    const openings = agent.openings("");
    const send = async (request: ConsulRequest) => {
      using _ = request.holdsSlot === true ? undefined : await agent.lane.enter(request.signal);
      const epoch = agent.epochOf(ADDRESS);
      try {
        const response = await this.#accept(peer, request);
        openings.answered();
        return { ...response, address: ADDRESS, epoch };
      } catch (error) {
        if (!request.signal.aborted) agent.noteFailure(ADDRESS, error);
        throw error;
      }
    };
    return {
      slots: agent.slots,
      activate: () => agent.activate(),
      epochOf: (address) => agent.epochOf(address),
      open: (work, signal) => openings.run(work, signal),
      once: (key, call, signal) => agent.shared.run(key, call, signal),
      send,
      sendToAny: send,
      prefer() {},
      untilRenewed: (signal: AbortSignal) => untilAborted(new Promise<void>(() => undefined), signal),
    };
  }

  /** Occupies a connection, and responds within the time of the request. */
  async #accept({ client, connections }: SimulatedPeer, request: ConsulRequest): Promise<SimulatedResponse> {
    const { clock, random } = this.#options;
    const { withinMs } = request;
    using deadline = createDeadline({
      clock,
      signal: request.signal,
      afterMs: withinMs,
      error: () => new ProvisioningError("CONNECTIVITY_TIMEOUT", `no response within ${withinMs} ms`),
    });
    const { signal } = deadline;
    await sleep(random() * 20, { clock, signal });
    throwIfAborted(signal);
    if (this.#isDown) {
      this.missed++;
      throw new ProvisioningError("CONNECTIVITY_REFUSED", "no server listens");
    }
    connections.open();
    const { searchParams, pathname } = new URL(request.path, ADDRESS);
    const endsAt = clock.monotonic() + Number.parseInt(searchParams.get("wait") ?? "0", 10) * (17 / 16);
    try {
      const service = this.#find(pathname.slice("/v1/health/service/".length));
      return await this.#respond({ client, service, searchParams, signal });
    } finally {
      connections.close(signal.aborted && !this.#isDown ? endsAt : clock.monotonic());
    }
  }

  async #respond({ client, service, searchParams, signal }: Received): Promise<SimulatedResponse> {
    const { clock, random } = this.#options;
    const running = this.#running.signal;
    const isCheck = searchParams.get("filter")?.endsWith('Service.ID == ""') === true;
    const index = Number(searchParams.get("index") ?? 0);
    const kind = isCheck ? "check" : index === 0 ? "read" : "poll";
    this.received.push({ at: clock.monotonic(), client, kind });
    const waitMs = index === 0 ? 0 : Number.parseInt(searchParams.get("wait") ?? "300000", 10);
    // Consul varies the wait too, so that clients that started together do not return together.
    const endsAt = clock.monotonic() + waitMs * (1 + random() / 16);
    while (this.#isHanging || (index >= service.index && clock.monotonic() < endsAt)) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      using waits = new DisposableStack();
      if (!this.#isHanging) waits.use(clock.schedule(endsAt - clock.monotonic(), resolve));
      waits.use(whenAborted(running, () => reject(running.reason)));
      await untilAborted(Promise.race([promise, this.#changed.promise]), signal);
    }
    const headers = { "x-consul-index": String(service.index), "x-consul-knownleader": "true" };
    const body = Buffer.from(JSON.stringify(isCheck ? [] : service.entries));
    return { headers, body };
  }
}

type SimulatedResponse = Pick<ConsulResponse, "headers" | "body">;

interface SimulatedPeer {
  readonly client: ProviderId;
  readonly connections: ConnectionCount;
}

interface Received {
  readonly client: ProviderId;
  readonly service: SimulatedService;
  readonly searchParams: URLSearchParams;
  readonly signal: AbortSignal;
}
