import {
  createClusterNode,
  createSnapshot,
  DEFAULT_TOPOLOGY,
  MemberSet,
  type Clock,
  type ClusterNodeInput,
  type TopologyName,
} from "@holdfast/core";
import { createSeededRandom, ScriptedUpdates, VirtualClock } from "@holdfast/testing";
import { WatchHub } from "@holdfast/hub";
import { HttpServer, type HttpServerOptions } from "../src/server/http-server.ts";
import type { ServerDirectory } from "../src/server/server-directory.ts";
import type { ServerView } from "../src/server/server-view.ts";
import { DirectoryStub } from "./directory-stub.ts";

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
  /** Replaces parts of the topology `default`. */
  readonly view?: Partial<ServerView>;
  readonly metrics?: ServerDirectory["metrics"];
  /** The clock of the server; the hubs always use a virtual clock. @defaultValue the hubs' clock */
  readonly serverClock?: Clock;
}

/** A topology whose content the test sets. */
export interface ServedTopology extends AsyncDisposable {
  readonly updates: ScriptedUpdates;
  readonly hub: WatchHub;
  readonly view: ServerView;
  /** Starts the hub if necessary, and publishes members with these ids. */
  set(...ids: readonly string[]): Promise<void>;
  /** Publishes the given members. Resolves when clients of the server can have received them. */
  publish(members: readonly ClusterNodeInput[]): Promise<void>;
}

/** The fields of a `ServedTopology` are those of the topology `default`. */
export interface ServedHub extends ServedTopology {
  readonly clock: VirtualClock;
  readonly directory: DirectoryStub;
  readonly server: HttpServer;
  /** Adds a topology to the directory. */
  addTopology(name: TopologyName, view?: Partial<ServerView>): ServedTopology;
}

export function member(id: string): ClusterNodeInput {
  return { id, host: `${id}.test`, port: 7000 };
}

/** Hubs fed with scripted updates, behind the real HTTP server on a free port of loopback. */
export async function serveHub(options: ServedHubOptions = {}): Promise<ServedHub> {
  const {
    retainedEvents = 1_000,
    maxEventClients = 10,
    maxLag = retainedEvents,
    host = "127.0.0.1",
    allowedHosts,
  } = options;
  const clock = new VirtualClock();
  const directory = new DirectoryStub(options.metrics);
  const addTopology = (name: TopologyName, view?: Partial<ServerView>) => {
    const topology = createTopology(clock, retainedEvents, view);
    directory.add(name, topology.view);
    return topology;
  };
  const topology = addTopology(DEFAULT_TOPOLOGY, options.view);
  const serverClock = options.serverClock ?? clock;
  const server = await HttpServer.listen({
    directory,
    instance: "this-daemon",
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
    ...topology,
    clock,
    directory,
    server,
    addTopology,
    async [Symbol.asyncDispose]() {
      const closing = server[Symbol.asyncDispose]();
      await (serverClock === clock ? clock.until(closing, 60_000) : closing);
      await topology[Symbol.asyncDispose]();
    },
  };
}

function createTopology(
  clock: VirtualClock,
  retainedEvents: number,
  overrides: Partial<ServerView> = {},
): ServedTopology {
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
    isRequired: true,
    providers: () => [],
    remoteNodes: () => [],
    explain: (nodeId) => hub.explain(nodeId),
    via: () => [],
    ...overrides,
  };
  return {
    updates,
    hub,
    view,
    set: (...ids) => publish(ids.map(member)),
    publish,
    [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose](),
  };
}
