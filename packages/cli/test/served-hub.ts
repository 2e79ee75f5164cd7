import {
  createClusterNode,
  createSnapshot,
  MemberSet,
  type Clock,
  type ClusterNodeInput,
} from "@holdfast/core";
import { createSeededRandom, ScriptedUpdates, VirtualClock } from "@holdfast/testing";
import { WatchHub } from "@holdfast/hub";
import { HttpServer, type HttpServerOptions } from "../src/server/http-server.ts";
import type { ServerView } from "../src/server/server-view.ts";

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
  /** The clock of the server; the hub always uses a virtual clock. @defaultValue the hub's clock */
  readonly serverClock?: Clock;
}

export interface ServedHub extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly updates: ScriptedUpdates;
  readonly hub: WatchHub;
  readonly view: ServerView;
  readonly server: HttpServer;
  /** Starts the hub if necessary, and publishes members with these ids. */
  set(...ids: readonly string[]): Promise<void>;
  /** Publishes the given members. Resolves when clients of the server can have received them. */
  publish(members: readonly ClusterNodeInput[]): Promise<void>;
}

export function member(id: string): ClusterNodeInput {
  return { id, host: `${id}.test`, port: 7000 };
}

/** A hub fed with scripted updates, behind the real HTTP server on a free port of loopback. */
export async function serveHub(options: ServedHubOptions = {}): Promise<ServedHub> {
  const {
    retainedEvents = 1_000,
    maxEventClients = 10,
    maxLag = retainedEvents,
    host = "127.0.0.1",
    allowedHosts,
  } = options;
  const clock = new VirtualClock();
  const updates = new ScriptedUpdates();
  const hub = new WatchHub({ source: updates, clock, random: createSeededRandom(7), retainedEvents });
  let revision = 0;
  const publish = async (members: readonly ClusterNodeInput[]) => {
    hub.start();
    const snapshot = createSnapshot({
      providerId: "primary",
      members: MemberSet.from(members.map(createClusterNode)),
      observedAt: clock.now(),
      revision: String(++revision),
    });
    updates.send({ snapshot, isFresh: true });
    await clock.settle();
  };
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
    updates,
    hub,
    view,
    server,
    set: (...ids) => publish(ids.map(member)),
    publish,
    async [Symbol.asyncDispose]() {
      const closing = server[Symbol.asyncDispose]();
      await (serverClock === clock ? clock.until(closing, 60_000) : closing);
      await hub[Symbol.asyncDispose]();
    },
  };
}
