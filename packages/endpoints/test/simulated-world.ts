import type { ClusterNode, Random } from "@holdfast/core";
import { createSeededRandom, VirtualClock } from "@holdfast/testing";
import { node, ScriptedTopology } from "./scripted-topology.ts";

export interface SimulatedServer {
  readonly node: ClusterNode;
  /** The share of calls that fail, 0 to 1. */
  failing: number;
  latencyMs: number;
  isMember: boolean;
  isRetained: boolean;
}

const ZONES = ["a", "b", "c"];
const WEIGHTS = [undefined, 1, 2, 0];

/** Servers that fail, are slow, come and go, under a topology whose status changes. All of it follows from the seed. */
export class SimulatedWorld {
  readonly random: Random;
  readonly clock: VirtualClock = new VirtualClock();
  readonly topology: ScriptedTopology = new ScriptedTopology(this.clock);
  readonly servers: readonly SimulatedServer[];
  /** Blocked by someone else than the clients. */
  readonly blocked: Set<string> = new Set();

  constructor(seed: number, count: number = 24) {
    this.random = createSeededRandom(seed);
    this.servers = Array.from({ length: count }, (_, i) => ({
      node: node(`s-${String(i).padStart(2, "0")}`, { zone: ZONES[i % 3], weight: this.one(WEIGHTS) }),
      failing: 0,
      latencyMs: 20,
      isMember: i < (count * 3) / 4,
      isRetained: false,
    }));
  }

  one<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)]!;
  }

  serverOf(id: string): SimulatedServer {
    return this.servers.find((server) => server.node.id === id)!;
  }

  /** Sends the members and those of them that are retained. */
  publish(): void {
    const members = this.servers.filter(({ isMember }) => isMember);
    const retained = members.filter(({ isRetained }) => isRetained).map((server) => server.node.id);
    this.topology.publish(
      members.map((server) => server.node),
      retained,
    );
  }

  /** One thing that happens. */
  happen(): void {
    const server = this.one(this.servers);
    const { id } = server.node;
    const { hub } = this.topology;
    const events: readonly (() => void)[] = [
      () => (server.failing = 1),
      () => (server.failing = 0.3),
      () => (server.failing = 0),
      () => (server.latencyMs = 400),
      () => (server.latencyMs = 20),
      () => {
        server.isMember = !server.isMember;
        server.isRetained = false;
        this.publish();
      },
      () => {
        for (const each of this.servers) each.isRetained = each.isMember && this.random() < 0.6;
        this.publish();
      },
      () => {
        for (const each of this.servers) each.isRetained = false;
        this.publish();
      },
      () => this.topology.send({ availability: this.one(["unavailable", "degraded"]), reason: "simulated" }),
      () => this.topology.confirm(),
      () => {
        // A block of a node that is being restored cancels the restoration, and returns false.
        const isRestoring = hub.state.restoringNodes.includes(id);
        if (hub.block(id) || isRestoring) this.blocked.add(id);
      },
      () => {
        for (const each of this.blocked) hub.restore(each);
        this.blocked.clear();
      },
    ];
    this.one(events)();
  }

  /** Ends all faults. */
  heal(): void {
    for (const server of this.servers) {
      server.failing = 0;
      server.latencyMs = 20;
      server.isRetained = false;
    }
    for (const id of this.blocked) this.topology.hub.restore(id);
    this.blocked.clear();
    this.publish();
    this.topology.confirm();
  }
}
