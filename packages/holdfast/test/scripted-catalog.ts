import {
  EventChannel,
  ProvisioningError,
  type AnyProviderAdapter,
  type DiscoveryEvent,
  type FoundService,
} from "@holdfast/core";
import { defineAdapter } from "@holdfast/core/adapter";
import * as z from "zod";

interface Source {
  services: readonly FoundService[] | undefined;
  failure: ProvisioningError | undefined;
  /** Sends nothing, not even heartbeats. */
  isSilent: boolean;
  readonly watches: Set<EventChannel<DiscoveryEvent>>;
  /** How many watches were ever opened. */
  opened: number;
}

/** Backends that list services on request. The parameter `source` of a discovery names one of them. */
export class ScriptedCatalog {
  readonly #sources = new Map<string, Source>();
  readonly createAdapter: () => AnyProviderAdapter;

  constructor() {
    this.createAdapter = defineAdapter({
      kind: "catalog",
      params: z.strictObject({}),
      open: () => ({
        probe: async () => undefined,
        watch: () => new EventChannel(AbortSignal.abort()),
      }),
      discovery: {
        params: z.strictObject({ source: z.string().min(1) }),
        values: ["namespace"],
        open: ({ params, clock, heartbeatMs }) => ({
          services: ({ signal }) => {
            const source = this.#source(params.source);
            const channel = new EventChannel<DiscoveryEvent>(signal);
            source.opened++;
            if (source.failure !== undefined) channel.close({ error: source.failure });
            else {
              source.watches.add(channel);
              if (source.services !== undefined && !source.isSilent)
                channel.push({ type: "services", services: source.services });
            }
            const beat = () => {
              if (!source.isSilent) channel.push({ type: "heartbeat" });
              timer = clock.schedule(heartbeatMs, beat);
            };
            let timer = clock.schedule(heartbeatMs, beat);
            signal.addEventListener("abort", () => {
              timer[Symbol.dispose]();
              source.watches.delete(channel);
            });
            return channel;
          },
        }),
      },
    }).createAdapter;
  }

  /** Lists services: `"orders billing"`, or services with values. */
  list(source: string, services: string | readonly FoundService[], isReset = false): void {
    const it = this.#source(source);
    it.services = toServices(services);
    it.failure = undefined;
    it.isSilent = false;
    for (const channel of it.watches) channel.push({ type: "services", services: it.services, isReset });
  }

  fail(
    source: string,
    failure: ProvisioningError = new ProvisioningError("CONNECTIVITY_REFUSED", "10.0.0.1:80 refused"),
  ): void {
    const it = this.#source(source);
    it.failure = failure;
    for (const channel of it.watches) channel.close({ error: failure });
    it.watches.clear();
  }

  silence(source: string): void {
    this.#source(source).isSilent = true;
  }

  opened(source: string): number {
    return this.#source(source).opened;
  }

  get openWatches(): number {
    return [...this.#sources.values()].reduce((sum, { watches }) => sum + watches.size, 0);
  }

  #source(name: string): Source {
    const source = this.#sources.get(name) ?? {
      services: undefined,
      failure: undefined,
      isSilent: false,
      watches: new Set(),
      opened: 0,
    };
    this.#sources.set(name, source);
    return source;
  }
}

function toServices(services: string | readonly FoundService[]): readonly FoundService[] {
  if (typeof services !== "string") return services;
  return services.split(" ").flatMap((name) => (name === "" ? [] : [{ name }]));
}
