import {
  createClusterNode,
  createSnapshot,
  DEFAULT_TOPOLOGY,
  MemberSet,
  type ClusterNodeInput,
  type TopologyName,
} from "@holdfast/core";
import { WatchHub } from "@holdfast/hub";
import { createSeededRandom, ScriptedUpdates } from "@holdfast/testing";
import { FakeServer, type FakeServerOptions } from "./fake-server.ts";

export interface FakeDaemonOptions extends Omit<FakeServerOptions, "find"> {
  /** How many events a client can resume over. @defaultValue 1000 */
  readonly retainedEvents?: number | undefined;
  /** @defaultValue the default topology alone */
  readonly topologies?: readonly TopologyName[] | undefined;
}

interface FakeTopology {
  readonly hub: WatchHub;
  readonly updates: ScriptedUpdates;
}

export interface PublishOptions {
  /** @defaultValue the default topology */
  readonly topology?: TopologyName | undefined;
  /** The daemons that the content came through. @defaultValue none */
  readonly via?: readonly string[] | undefined;
}

/** A daemon whose topologies a test writes. */
export class FakeDaemon extends FakeServer implements AsyncDisposable {
  readonly #options: FakeDaemonOptions;
  #topologies = new Map<TopologyName, FakeTopology>();
  #runs = 0;

  constructor(options: FakeDaemonOptions) {
    super({ ...options, find: (name) => this.#topologies.get(name)?.hub });
    this.#options = options;
    this.#begin(options.topologies ?? [DEFAULT_TOPOLOGY]);
  }

  /** The hub of the default topology. */
  get hub(): WatchHub {
    return this.topology().hub;
  }

  get updates(): ScriptedUpdates {
    return this.topology().updates;
  }

  topology(name: TopologyName = DEFAULT_TOPOLOGY): FakeTopology {
    return this.#topologies.get(name)!;
  }

  publish(nodes: readonly ClusterNodeInput[], { topology, via }: PublishOptions = {}): void {
    const { hub, updates } = this.topology(topology);
    const before = hub.state.snapshot?.members ?? MemberSet.empty;
    const members = before.replace(nodes.map(createClusterNode));
    const observedAt = this.#options.clock.now();
    const snapshot = createSnapshot({ providerId: "backend", members, observedAt, via });
    updates.send({ snapshot, isFresh: true, availability: "available" });
  }

  /** A new run with other epochs, and without the logs of the old one. */
  restart(topologies: readonly TopologyName[] = [...this.#topologies.keys()]): void {
    this.disconnect();
    this.#begin(topologies);
  }

  has(name: TopologyName): boolean {
    return this.#topologies.has(name);
  }

  /** A topology appears, if the daemon does not have it. */
  add(name: TopologyName): void {
    if (this.has(name)) return;
    this.#topologies.set(name, this.#create());
    this.update();
  }

  /** A topology disappears, if the daemon has it. */
  remove(name: TopologyName): void {
    if (!this.#topologies.delete(name)) return;
    this.update();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { hub } of this.#topologies.values()) await hub[Symbol.asyncDispose]();
  }

  #begin(topologies: readonly TopologyName[]): void {
    this.#topologies = new Map(topologies.map((name) => [name, this.#create()]));
  }

  /** In a run of its own. */
  #create(): FakeTopology {
    const { clock, retainedEvents } = this.#options;
    const run = ++this.#runs;
    const updates = new ScriptedUpdates();
    const random = createSeededRandom(run);
    const hub = new WatchHub({ source: updates, clock, random, epoch: `run-${run}`, retainedEvents });
    hub.start();
    return { hub, updates };
  }
}
