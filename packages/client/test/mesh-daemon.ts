import {
  DEFAULT_TOPOLOGY,
  type Clock,
  type ClusterProvider,
  type KnownGood,
  type TopologyName,
  type TopologyState,
} from "@holdfast/core";
import { Failover, type GuardOptions, type HealthOptions } from "@holdfast/failover";
import { WatchHub } from "@holdfast/hub";
import { MemoryProvider } from "@holdfast/provider-memory";
import { createSeededRandom } from "@holdfast/testing";
import type { Transport } from "../src/connection/transport.ts";
import { DaemonStreams } from "../src/watching/daemon-streams.ts";
import { FakeServer } from "./fake-server.ts";

export interface MeshDaemonOptions {
  /** Its host name. */
  readonly name: string;
  /** Which run of the daemon this is: a part of its id in chains, and of its epoch. @defaultValue 1, and the id is the name */
  readonly run?: number | undefined;
  readonly clock: Clock;
  readonly seed: number;
  /** The names of the daemons that it falls over to, the most preferred first. */
  readonly peers: readonly string[];
  /** Reaches the peers by their names. */
  readonly transport: Transport;
  readonly health?: HealthOptions | undefined;
  readonly guards?: GuardOptions | undefined;
  readonly retainedEvents?: number | undefined;
  /** The last known good snapshot of an earlier run. */
  readonly known?: KnownGood | undefined;
  /** How long it answers requests before it has started, in milliseconds. @defaultValue 0 */
  readonly startsAfterMs?: number | undefined;
  /** Finds further topologies that it serves. @defaultValue there are none */
  readonly findOther?: ((name: TopologyName) => WatchHub | undefined) | undefined;
}

/** A daemon that reads a backend, and follows other daemons when the backend fails. Real failover and a real hub. */
export class MeshDaemon implements AsyncDisposable {
  readonly name: string;
  readonly backend: MemoryProvider;
  readonly failover: Failover;
  readonly hub: WatchHub;
  readonly server: FakeServer;
  readonly #start: Disposable | undefined;

  constructor(options: MeshDaemonOptions) {
    const { name, run = 1, clock, seed, peers, transport, health, guards, known, findOther } = options;
    const instance = options.run === undefined ? name : `${name}-${run}`;
    this.name = name;
    this.backend = new MemoryProvider({ id: "backend", priority: peers.length + 1, clock });
    const followed = peers.map((peer, index): ClusterProvider => {
      const source = { url: `http://${peer}`, clock, transport };
      const streams = new DaemonStreams({ source, instance });
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
    const providers = [this.backend, ...followed];
    this.failover = new Failover({ providers, clock, random, health, guards });
    if (known !== undefined) this.failover.restore({ known, maxAgeMs: 3_600_000 });
    const { retainedEvents } = options;
    const epoch = `${name}-${run}`;
    this.hub = new WatchHub({ source: this.failover, clock, random, epoch, retainedEvents });
    const find = (topology: TopologyName) =>
      topology === DEFAULT_TOPOLOGY ? this.hub : findOther?.(topology);
    this.server = new FakeServer({ clock, instance, find });
    const { startsAfterMs = 0 } = options;
    if (startsAfterMs > 0) this.#start = clock.schedule(startsAfterMs, () => this.hub.start());
    else this.hub.start();
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
    this.#start?.[Symbol.dispose]();
    this.server.disconnect();
    await this.hub[Symbol.asyncDispose]();
    await this.failover[Symbol.asyncDispose]();
    await this.backend[Symbol.asyncDispose]();
  }
}
