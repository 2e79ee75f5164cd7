import { ScriptedSource } from "@holdfast/testing";
import {
  createClusterNode,
  MemberSet,
  type Clock,
  type ClusterNode,
  type NodeBlocks,
  type NodeId,
  type TopologyEvent,
  type TopologyStatus,
} from "@holdfast/core";

/** A scripted log with short methods for the bridges' tests. */
export class ScriptedHub extends ScriptedSource implements NodeBlocks {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    super(clock);
    this.#clock = clock;
  }

  /** Publishes a new snapshot. Unchanged nodes stay the same objects. */
  snapshot(members: MemberSet | readonly ClusterNode[], providerId = "primary"): TopologyEvent {
    const before = this.state.snapshot;
    const set =
      members instanceof MemberSet ? members : (before?.members ?? MemberSet.empty).replace(members);
    return this.#take(set, providerId, before?.blockedNodes.filter((id) => set.has(id)) ?? []);
  }

  block(nodeId: NodeId): boolean {
    const { snapshot } = this.state;
    if (snapshot === undefined || snapshot.blockedNodes.includes(nodeId)) return false;
    this.#take(snapshot.members, snapshot.providerId, [...snapshot.blockedNodes, nodeId]);
    return true;
  }

  /** Marks the node as being restored; `refresh` lifts the block. */
  restore(nodeId: NodeId): boolean {
    this.set({ restoringNodes: [nodeId] });
    return true;
  }

  refresh(): void {
    const { snapshot, restoringNodes } = this.state;
    if (snapshot === undefined) return;
    this.set({ restoringNodes: [] });
    const blocked = snapshot.blockedNodes.filter((id) => !restoringNodes.includes(id));
    this.#take(snapshot.members, snapshot.providerId, blocked);
  }

  status(to: TopologyStatus): TopologyEvent {
    const from = this.state.status;
    this.set({ status: to, statusReason: `scripted ${to}` });
    return this.append({
      kind: "status_changed",
      from,
      to,
      isStale: this.state.isStale,
      reason: `scripted ${to}`,
      snapshotHash: this.state.snapshot?.hash,
    });
  }

  providerChanged(from: string, to: string): TopologyEvent {
    const snapshotHash = this.state.snapshot?.hash;
    return this.append({ kind: "provider_changed", from, to, reason: "stream_ended", snapshotHash });
  }

  streamTerminated(providerId = "primary"): TopologyEvent {
    const snapshotHash = this.state.snapshot?.hash;
    return this.append({ kind: "stream_terminated", providerId, reason: { kind: "ended" }, snapshotHash });
  }

  healthChanged(): TopologyEvent {
    return this.append({ kind: "health_changed", providerId: "primary", from: "healthy", to: "degraded" });
  }

  #take(members: MemberSet, providerId: string, blockedNodes: readonly NodeId[]): TopologyEvent {
    return this.publish({ providerId, members, blockedNodes, observedAt: this.#clock.now() });
  }
}

/** Creates nodes from their ids; `b@2` is node b at another address. */
export function nodes(...names: readonly string[]): ClusterNode[] {
  return names.map((name) => {
    const [id = "", address = "1"] = name.split("@");
    return createClusterNode({ id, host: `10.0.0.${address}`, port: 7_000 });
  });
}
