import { RemoteEventFilter, type RemotingBridge } from "@holdfast/bridges";
import type {
  RemoteTopologyEvent,
  RemotingPort,
  Clock,
  ClusterNode,
  Epoch,
  NodeId,
  TopologyNotice,
  TopologyStatus,
} from "@holdfast/core";
import type { Channel, OpenChannel } from "./channel.ts";

/** Where this receiver reports nodes that it isolated or restored: `service.remoting`, or the bridge itself. */
export type Remote = Pick<RemotingBridge, "block" | "restore" | "node">;

export interface RemotingReceiverOptions {
  readonly open: OpenChannel;
  readonly clock: Clock;
  /** How long after a new epoch has begun a node may take to join in it before its channel is closed. @defaultValue 60000 */
  readonly graceMs?: number | undefined;
}

interface Entry {
  node: ClusterNode;
  /** The epoch of its last event. */
  epoch: Epoch;
  isBlocked: boolean;
  channel: Channel | undefined;
}

/** One channel to each node that has joined and is not blocked. The policy is in the README, point by point. */
export class RemotingReceiver implements RemotingPort, Disposable {
  readonly #options: RemotingReceiverOptions;
  readonly #filter = new RemoteEventFilter();
  readonly #entries = new Map<NodeId, Entry>();
  /** Nodes that this receiver isolated itself and has not restored. */
  readonly #isolated = new Set<NodeId>();
  #remote: Remote | undefined;
  #epoch: Epoch | undefined;
  #status: TopologyStatus = "starting";
  #sweep: Disposable | undefined;

  constructor(options: RemotingReceiverOptions) {
    this.#options = options;
  }

  /** The bridge that calls this receiver; again after a restart of the service, which may have begun to call it before. */
  attach(remote: Remote): void {
    this.#remote = remote;
    for (const id of this.#isolated) remote.block(id);
  }

  /** `degraded` and `unavailable` are warnings to show: open channels stay, no new ones are opened. */
  get status(): TopologyStatus {
    return this.#status;
  }

  /** The channel to use for new work; undefined when the node is not a member, or is blocked or being restored. */
  channel(id: NodeId): Channel | undefined {
    return this.#remote?.node(id)?.state === "up" ? this.#entries.get(id)?.channel : undefined;
  }

  /** The nodes that have an open channel. */
  get open(): readonly ClusterNode[] {
    return [...this.#entries.values()].flatMap(({ channel }) => channel?.node ?? []);
  }

  /** This receiver has found the node to be broken: it stops using it at once and reports it to everyone. */
  isolate(id: NodeId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#isolated.add(id);
    this.#settle(id, entry);
    this.#remote?.block(id);
  }

  /** The node works again. It is used again after `unblocked`, which follows the next good refresh. */
  restore(id: NodeId): void {
    if (!this.#isolated.delete(id)) return;
    this.#remote?.restore(id);
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#settle(id, entry);
  }

  /** Everything happens before it returns, so nothing is applied after the deadline of the call. */
  applyEvents(events: readonly RemoteTopologyEvent[]): void {
    // More joins of the new epoch may follow, also after a failure.
    if (this.#sweep !== undefined) this.#scheduleSweep();
    for (const event of events) {
      if (!this.#filter.isNew(event)) continue;
      if (event.epoch !== this.#epoch) this.#beginEpoch(event.epoch);
      this.#apply(event);
      // Last: an event that failed is not a repeat when its batch comes again.
      this.#filter.accept(event);
    }
  }

  notify(notice: TopologyNotice): void {
    if (notice.kind === "status_changed") this.#status = notice.to;
  }

  /** Closes every channel. */
  [Symbol.dispose](): void {
    this.#sweep?.[Symbol.dispose]();
    for (const { channel } of this.#entries.values()) channel?.close();
    this.#entries.clear();
  }

  #apply({ kind, node, epoch }: RemoteTopologyEvent): void {
    const { id } = node;
    const known = this.#entries.get(id);
    switch (kind) {
      case "join": {
        // A block does not outlive its epoch; within one epoch only a leave or `unblocked` lifts it.
        const isBlocked = known?.epoch === epoch && known.isBlocked;
        const entry = { node, epoch, isBlocked, channel: known?.channel };
        this.#settle(id, entry);
        this.#entries.set(id, entry);
        if (known?.epoch !== epoch && this.#isolated.has(id)) this.#remote?.block(id);
        return;
      }
      case "leave":
        this.#remove(id, known);
        return;
      case "blocked":
      case "unblocked":
        // A node that has not joined has no channel to close or to open.
        if (known === undefined) return;
        known.isBlocked = kind === "blocked";
        this.#settle(id, known);
        return;
      default:
        // A kind that is added later is an error of the types, and here.
        throw new Error(`unknown kind of event: ${String(kind satisfies never)}`);
    }
  }

  /** Closes a channel that must not be there any more, or opens the one that is missing. */
  #settle(id: NodeId, entry: Entry): void {
    const { node, channel } = entry;
    const isWanted = !entry.isBlocked && !this.#isolated.has(id);
    const isRight = channel?.node.host === node.host && channel.node.port === node.port;
    if (channel !== undefined && !(isWanted && isRight)) {
      channel.close();
      entry.channel = undefined;
    }
    if (isWanted) entry.channel ??= this.#options.open(node);
  }

  #remove(id: NodeId, entry: Entry | undefined): void {
    entry?.channel?.close();
    this.#entries.delete(id);
    this.#isolated.delete(id);
  }

  /** The service was restarted: every member joins again. Who left meanwhile gets no leave, so those that do not join go later. */
  #beginEpoch(epoch: Epoch): void {
    this.#epoch = epoch;
    if (this.#entries.size > 0) this.#scheduleSweep();
  }

  #scheduleSweep(): void {
    const { clock, graceMs = 60_000 } = this.#options;
    this.#sweep?.[Symbol.dispose]();
    this.#sweep = clock.schedule(graceMs, () => this.#sweepOnceReady());
  }

  /** While the topology is not `ready`, joins are held back: what is missing then may still be a member. */
  #sweepOnceReady(): void {
    if (this.#status !== "ready") return this.#scheduleSweep();
    this.#sweep = undefined;
    for (const [id, entry] of this.#entries) {
      if (entry.epoch !== this.#epoch) this.#remove(id, entry);
    }
  }
}
