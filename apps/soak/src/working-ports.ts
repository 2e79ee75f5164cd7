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

/** What the ports did, and what was wrong with what they were told. */
export interface PortReport {
  readonly ticks: number;
  readonly notices: number;
  readonly remoteEvents: number;
  /** Members that Remoting was told are blocked, and are so no more. */
  readonly isolated: number;
  readonly restored: number;
  /** The fewest members a snapshot had; absent before the first. */
  readonly fewestMembers?: number | undefined;
  /** Broken promises of order; empty when all is well. */
  readonly violations: readonly string[];
}

/**
 * The three consumers, doing a little work: Placement keeps the members by what it is told of changes alone and shares
 * partitions out among them, Partition keeps who has which, Remoting keeps a channel to each.
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

  /** What each has come to, to be compared. */
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
    this.#expect(this.#seqNos.partition === seqNo, `placement saw ${seqNo} before partition`);
    for (const { id } of delta.removed)
      this.#expect(this.#members.delete(id), `placement: ${id} left and was no member`);
    for (const node of delta.added) {
      this.#expect(!this.#members.has(node.id), `placement: ${node.id} joined and was a member`);
      this.#members.set(node.id, node);
    }
    for (const { after } of delta.updated) this.#members.set(after.id, after);
    const { size } = snapshot.members;
    this.#expect(this.#members.size === size, `placement has ${this.#members.size} members of ${size}`);
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
    this.#expect(seqNo === this.#seqNos.placement, `leases of ${seqNo} came a tick late`);
    this.#expect(seqNo > this.#seqNos.leases, `leases of ${seqNo} came again`);
    this.#seqNos.leases = seqNo;
    for (const { resource, nodeId } of leases) this.#owners.set(resource, nodeId);
  }

  #connect(events: readonly RemoteTopologyEvent[]): void {
    for (const event of events) {
      if (!this.#filter.accept(event)) continue;
      const { kind, node } = event;
      this.#remoteEvents.add(kind);
      if (kind === "leave")
        this.#expect(this.#channels.delete(node.id), `remoting: ${node.id} left and had no channel`);
      if (kind === "join") this.#channels.set(node.id, node);
    }
  }

  #advance(port: "partition" | "placement", { seqNo }: SnapshotTick): void {
    this.#expect(seqNo > this.#seqNos[port], `${port} saw ${seqNo} after ${this.#seqNos[port]}`);
    this.#seqNos[port] = seqNo;
  }

  #count(): void {
    this.#notices++;
  }

  #expect(holds: boolean, otherwise: string): void {
    // The first few name the trouble.
    if (!holds && this.#violations.length < 20) this.#violations.push(otherwise);
  }
}

export interface PortView {
  readonly placementSeqNo: number;
  readonly leasesSeqNo: number;
  readonly members: string;
  readonly channels: string;
}
