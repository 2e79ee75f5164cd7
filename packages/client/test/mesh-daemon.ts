import { DEFAULT_TOPOLOGY, type Clock, type ClusterProvider, type TopologyState } from "@holdfast/core";
import { Failover, type HealthOptions } from "@holdfast/failover";
import { WatchHub } from "@holdfast/hub";
import { MemoryProvider } from "@holdfast/provider-memory";
import { createSeededRandom } from "@holdfast/testing";
import type { Transport } from "../src/connection/transport.ts";
import { DaemonStreams } from "../src/watching/daemon-streams.ts";
import { FakeServer } from "./fake-server.ts";

export interface MeshDaemonOptions {
  /** Its id in chains, and its host name. */
  readonly name: string;
  readonly clock: Clock;
  readonly seed: number;
  /** The names of the daemons that it falls over to, the most preferred first. */
  readonly peers: readonly string[];
  /** Reaches the peers by their names. */
  readonly transport: Transport;
  readonly health?: HealthOptions | undefined;
}

/** A daemon that reads a backend, and follows other daemons when the backend fails. Real failover and a real hub. */
export class MeshDaemon implements AsyncDisposable {
  readonly name: string;
  readonly backend: MemoryProvider;
  readonly failover: Failover;
  readonly hub: WatchHub;
  readonly server: FakeServer;

  constructor({ name, clock, seed, peers, transport, health }: MeshDaemonOptions) {
    this.name = name;
    this.backend = new MemoryProvider({ id: "backend", priority: peers.length + 1, clock });
    const followed = peers.map((peer, index): ClusterProvider => {
      const source = { url: `http://${peer}`, clock, transport };
      const streams = new DaemonStreams({ source, instance: name });
      const { probe, watch } = streams.topology({ providerId: peer, maxStaleMs: 60_000 });
      return {
        descriptor: { id: peer, kind: "holdfast", priority: peers.length - index, params: {} },
        capabilities: { watch: true },
        probe: ({ signal }) => probe(signal),
        watch: ({ signal }) => watch(signal),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    });
    const random = createSeededRandom(seed);
    this.failover = new Failover({ providers: [this.backend, ...followed], clock, random, health });
    this.hub = new WatchHub({ source: this.failover, clock, random, epoch: `${name}-1` });
    const find = (topology: string) => (topology === DEFAULT_TOPOLOGY ? this.hub : undefined);
    this.server = new FakeServer({ clock, instance: name, find });
    this.hub.start();
  }

  get state(): TopologyState {
    return this.hub.state;
  }

  /** The active provider. */
  get active(): string | undefined {
    return this.failover.health().find(({ isActive }) => isActive)?.providerId;
  }

  /** The backend fails and refuses further connections. */
  loseBackend(): void {
    this.backend.refuse();
    this.backend.fail();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.disconnect();
    await this.hub[Symbol.asyncDispose]();
    await this.failover[Symbol.asyncDispose]();
    await this.backend[Symbol.asyncDispose]();
  }
}
