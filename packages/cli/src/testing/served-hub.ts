import type { Clock, ClusterNodeInput } from "@holdfast/core";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { WatchHub } from "@holdfast/hub";
import { MemoryProvider } from "@holdfast/provider-memory";
import { HttpServer, type HttpServerOptions } from "../server/http-server.ts";
import type { ServerView } from "../server/server-view.ts";

export interface ServedHubOptions extends Partial<
  Pick<
    HttpServerOptions,
    | "maxEventClients"
    | "maxLag"
    | "host"
    | "allowedHosts"
    | "maxConnections"
    | "maxReaderMemoryMb"
    | "descriptors"
  >
> {
  readonly retainedEvents?: number;
  readonly view?: Partial<ServerView>;
  /** For the server; the hub's time is always virtual. @defaultValue the hub's */
  readonly serverClock?: Clock;
}

export interface ServedHub extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly provider: MemoryProvider;
  readonly hub: WatchHub;
  readonly view: ServerView;
  readonly server: HttpServer;
  /** Publishes these members and waits until the log has them. */
  set(...ids: readonly string[]): Promise<void>;
}

export function member(id: string): ClusterNodeInput {
  return { id, host: `${id}.test`, port: 7000 };
}

/** A hub fed by a memory provider, behind the real HTTP server on a free port of loopback. */
export async function serveHub(options: ServedHubOptions = {}): Promise<ServedHub> {
  const {
    retainedEvents = 1_000,
    maxEventClients = 10,
    maxLag = retainedEvents,
    host = "127.0.0.1",
    allowedHosts,
  } = options;
  const clock = new VirtualClock();
  const provider = new MemoryProvider({ id: "primary", clock });
  const hub = new WatchHub({ provider, clock, random: createSeededRandom(7), retainedEvents });
  const view: ServerView = {
    log: hub,
    providers: () => [],
    remoteNodes: () => [],
    explain: (nodeId) => hub.explain(nodeId),
    metrics: async () => ({ contentType: "text/plain; version=0.0.4", text: "holdfast_up 1\n" }),
    ...options.view,
  };
  const serverClock = options.serverClock ?? clock;
  const server = await HttpServer.listen({
    view,
    clock: serverClock,
    host,
    allowedHosts,
    port: 0,
    maxEventClients,
    maxLag,
    maxConnections: options.maxConnections,
    maxReaderMemoryMb: options.maxReaderMemoryMb,
    descriptors: options.descriptors,
  });
  return {
    clock,
    provider,
    hub,
    view,
    server,
    async set(...ids) {
      provider.set(ids.map(member));
      hub.start();
      await clock.settle();
    },
    async [Symbol.asyncDispose]() {
      const closing = server[Symbol.asyncDispose]();
      await (serverClock === clock ? clock.until(closing, 60_000) : closing);
      await hub[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}
