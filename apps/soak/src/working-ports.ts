import type {
  Lease,
  LeaseTick,
  PartitionPort,
  PlacementPort,
  RemotingPort,
  RemoteTopologyEvent,
  SnapshotTick,
  ClusterNode,
  NodeId,
} from "@holdfast/core";
import { RemoteEventFilter } from "@holdfast/bridges";
import { channelDigestOf, digestOf } from "./member-digest.ts";
import { Tally } from "./tally.ts";

const PARTITIONS = 1_024;

/** What the ports received, and which of it violated the order that the service promises. */
export interface PortReport {
  readonly ticks: number;
  readonly notices: number;
  readonly remoteEvents: number;
  /** How many `blocked` events Remoting received. `restored` counts the `unblocked` events. */
  readonly isolated: number;
  readonly restored: number;
  /** The smallest number of members in any snapshot; absent before the first snapshot. */
  readonly fewestMembers?: number | undefined;
  /** Violations of the promised order; empty when there are none. */
  readonly violations: readonly string[];
}

/**
 * The three consumers, each doing a small amount of work. Placement keeps the members using only the changes in each
 * tick, and assigns partitions to them. Partition keeps the owner of each partition. Remoting keeps one channel for
 * each member.
 */
export class WorkingPorts {
  readonly #members = new Map<NodeId, ClusterNode>();
  readonly #channels = new Map<NodeId, ClusterNode>();
  readonly #filter = new RemoteEventFilter();
  readonly #violations: string[] = [];
  readonly #seqNos = { partition: 0, placement: 0, leases: 0 };
  readonly #owners = new Map<string, NodeId>();
  #ticks = 0;
  #notices = 0;
  readonly #remoteEvents = new Tally();
  #fewestMembers: number | undefined;

  readonly partition: PartitionPort = {
    applySnapshot: (tick) => this.#advance("partition", tick),
    publishLeases: (tick) => this.#takeLeases(tick),
    notify: () => this.#count(),
  };

  readonly placement: PlacementPort = {
    applySnapshot: (tick) => this.#place(tick),
    notify: () => this.#count(),
  };

  readonly remoting: RemotingPort = {
    applyEvents: (events) => this.#connect(events),
    notify: () => this.#count(),
  };

  report(): PortReport {
    const events = this.#remoteEvents.counts();
    return {
      ticks: this.#ticks,
      notices: this.#notices,
      remoteEvents: Object.values(events).reduce((sum, count) => sum + count, 0),
      isolated: events["blocked"] ?? 0,
      restored: events["unblocked"] ?? 0,
      fewestMembers: this.#fewestMembers,
      violations: this.#violations,
    };
  }

  /** The current state of each consumer, for a comparison with the service. */
  view(): PortView {
    return {
      placementSeqNo: this.#seqNos.placement,
      leasesSeqNo: this.#seqNos.leases,
      members: digestOf(this.#members.values()),
      channels: channelDigestOf(this.#channels.values()),
    };
  }

  #place(tick: SnapshotTick): readonly Lease[] {
    const { seqNo, snapshot, delta } = tick;
    this.#advance("placement", tick);
    this.#expectThat(this.#seqNos.partition === seqNo, `placement saw ${seqNo} before partition`);
    for (const { id } of delta.removed)
      this.#expectThat(this.#members.delete(id), `placement: ${id} left but was not a member`);
    for (const node of delta.added) {
      this.#expectThat(!this.#members.has(node.id), `placement: ${node.id} joined but was already a member`);
      this.#members.set(node.id, node);
    }
    for (const { after } of delta.updated) this.#members.set(after.id, after);
    const { size } = snapshot.members;
    this.#expectThat(
      this.#members.size === size,
      `placement has ${this.#members.size} members, the snapshot has ${size}`,
    );
    this.#fewestMembers = Math.min(this.#fewestMembers ?? size, size);
    this.#ticks++;
    const ids = Array.from(snapshot.members, ({ id }) => id);
    if (ids.length === 0) return [];
    return Array.from({ length: PARTITIONS }, (_, i) => ({
      resource: `partition-${i}`,
      nodeId: ids[(i * 7_919) % ids.length]!,
    }));
  }

  #takeLeases({ seqNo, leases }: LeaseTick): void {
    this.#expectThat(seqNo === this.#seqNos.placement, `the leases of ${seqNo} came after the next tick`);
    this.#expectThat(seqNo > this.#seqNos.leases, `the leases of ${seqNo} came twice`);
    this.#seqNos.leases = seqNo;
    for (const { resource, nodeId } of leases) this.#owners.set(resource, nodeId);
  }

  #connect(events: readonly RemoteTopologyEvent[]): void {
    for (const event of events) {
      if (!this.#filter.accept(event)) continue;
      const { kind, node } = event;
      this.#remoteEvents.add(kind);
      if (kind === "leave")
        this.#expectThat(this.#channels.delete(node.id), `remoting: ${node.id} left but had no channel`);
      if (kind === "join") this.#channels.set(node.id, node);
    }
  }

  #advance(port: "partition" | "placement", { seqNo }: SnapshotTick): void {
    this.#expectThat(seqNo > this.#seqNos[port], `${port} saw ${seqNo} after ${this.#seqNos[port]}`);
    this.#seqNos[port] = seqNo;
  }

  #count(): void {
    this.#notices++;
  }

  #expectThat(holds: boolean, message: string): void {
    // The first few violations are enough to find the cause.
    if (!holds && this.#violations.length < 20) this.#violations.push(message);
  }
}

export interface PortView {
  readonly placementSeqNo: number;
  readonly leasesSeqNo: number;
  readonly members: string;
  readonly channels: string;
}
