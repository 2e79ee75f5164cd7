import {
  createClusterNode,
  createSnapshot,
  MemberSet,
  type ClusterNode,
  type TopologyEvent,
  type TopologySource,
  type TopologyState,
} from "@holdfast/core";
import {
  byKey,
  createEndpoints,
  leastInFlight,
  roundRobin,
  type PickStrategyFactory,
} from "@holdfast/endpoints";
import { median, type Figure } from "./measure.ts";

const STRATEGIES: Readonly<Record<string, PickStrategyFactory>> = {
  "round robin": roundRobin(),
  "least in flight": leastInFlight(),
  "by key": byKey(),
};

/** A topology without a hub, so that only the endpoints are measured. */
class BareTopology implements TopologySource {
  state: TopologyState;
  readonly #listeners = new Set<(event: TopologyEvent) => unknown>();
  #members = MemberSet.empty;

  constructor(members: readonly ClusterNode[]) {
    this.state = {
      epoch: "bench",
      seqNo: 0,
      status: "ready",
      statusReason: "a benchmark",
      snapshotSeqNo: 0,
      restoringNodes: [],
      isStale: false,
      holds: [],
    };
    this.apply({ upsert: members });
  }

  apply(change: { readonly upsert?: readonly ClusterNode[]; readonly remove?: readonly string[] }): void {
    this.#members = this.#members.apply(change);
    const snapshot = createSnapshot({ providerId: "bench", members: this.#members, observedAt: 0 });
    const seqNo = this.state.seqNo + 1;
    this.state = { ...this.state, snapshot, seqNo, snapshotSeqNo: seqNo };
    const delta = { added: [], updated: [], removed: [], blocked: [], unblocked: [] };
    for (const listener of this.#listeners) {
      listener({ kind: "snapshot", snapshot, delta, epoch: "bench", seqNo, at: 0 });
    }
  }

  onEvent(listener: (event: TopologyEvent) => unknown): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function nodeAt(i: number): ClusterNode {
  return createClusterNode({
    id: `node-${i}`,
    host: `10.0.${i >> 8}.${i & 255}`,
    port: 80,
    weight: 1 + (i % 3),
  });
}

const createMembers = (count: number) => Array.from({ length: count }, (_, i) => nodeAt(i));
const KEYS = Array.from({ length: 1_024 }, (_, i) => `user-${i}`);

/** Nanoseconds for one pick and its end, of members with different weights; the median of the runs. */
export function benchPicks(members: number, runs: number): readonly Figure[] {
  const topology = new BareTopology(createMembers(members));
  using endpoints = createEndpoints({ topology });
  return Object.entries(STRATEGIES).map(([name, strategy]) => {
    const picker = endpoints.picker(strategy);
    const picks = 50_000;
    const times = Array.from({ length: runs + 1 }, () => {
      const startedAt = performance.now();
      for (let i = 0; i < picks; i++) picker.pick({ key: KEYS[i & 1_023]! })!.done("success");
      return ((performance.now() - startedAt) * 1_000_000) / picks;
    });
    // The first run warms up.
    return { name: `pick and done, ${name}`, members, value: median(times.slice(1)), unit: "ns" };
  });
}

/** Microseconds (median) from the moment at which one member leaves or joins until the listeners of the endpoints, and the first pick, are done. */
export async function benchEndpointChange(members: number, changes: number): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const [name, subset] of [
    ["all members", undefined],
    ["subset of 100", { size: 100, clientId: "bench" }],
  ] as const) {
    for (const [strategyName, strategy] of Object.entries(STRATEGIES)) {
      const topology = new BareTopology(createMembers(members));
      using endpoints = createEndpoints({ topology, subset });
      const picker = endpoints.picker(strategy);
      picker.pick()!.done("success");
      const times: number[] = [];
      for (let i = 0; i < changes * 2; i++) {
        const node = nodeAt((i * 7_919) % members);
        const startedAt = performance.now();
        topology.apply(i % 2 === 0 ? { remove: [node.id] } : { upsert: [node] });
        await Promise.resolve();
        picker.pick()!.done("success");
        if (i >= changes) times.push((performance.now() - startedAt) * 1_000);
      }
      const title = `one member changes, ${name}, ${strategyName}`;
      figures.push({ name: title, members, value: median(times), unit: "us" });
    }
  }
  return figures;
}
