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

/**
 * The bridge to which this receiver reports nodes that it isolated or restored: `service.remoting`, or a bridge created
 * elsewhere.
 */
export type Remote = Pick<RemotingBridge, "block" | "restore" | "node">;

export interface RemotingReceiverOptions {
  readonly open: OpenChannel;
  readonly clock: Clock;
  /**
   * How long to wait for a node to join after a new epoch begins, before its channel is closed. Counted from the last
   * batch, in milliseconds. @defaultValue 60000
   */
  readonly graceMs?: number | undefined;
}

interface Entry {
  node: ClusterNode;
  /** The epoch of its last event. */
  epoch: Epoch;
  isBlocked: boolean;
  channel: Channel | undefined;
}

/** Keeps one channel to each node that has joined and is not blocked. The README describes the policy in detail. */
export class RemotingReceiver implements RemotingPort, Disposable {
  readonly #options: RemotingReceiverOptions;
  readonly #filter = new RemoteEventFilter();
  readonly #entries = new Map<NodeId, Entry>();
  /** Nodes that this receiver has isolated and has not yet restored. */
  readonly #isolated = new Set<NodeId>();
  #remote: Remote | undefined;
  #epoch: Epoch | undefined;
  #status: TopologyStatus = "starting";
  #sweep: Disposable | undefined;

  constructor(options: RemotingReceiverOptions) {
    this.#options = options;
  }

  /**
   * Sets the bridge that calls this receiver. Call it again after a restart of the service; the new bridge may already
   * have called the receiver.
   */
  attach(remote: Remote): void {
    this.#remote = remote;
    for (const id of this.#isolated) remote.block(id);
  }

  /**
   * The status of the topology. Show `degraded` and `unavailable` as warnings: open channels stay open, and no new ones
   * are opened.
   */
  get status(): TopologyStatus {
    return this.#status;
  }

  /**
   * Returns the channel for new work. Returns `undefined` when the node is not a member, is blocked, or is being
   * restored.
   */
  channel(id: NodeId): Channel | undefined {
    return this.#remote?.node(id)?.state === "up" ? this.#entries.get(id)?.channel : undefined;
  }

  /** The nodes that have an open channel. */
  get open(): readonly ClusterNode[] {
    return [...this.#entries.values()].flatMap(({ channel }) => channel?.node ?? []);
  }

  /** Call this when the node does not work: the receiver stops using it at once, and reports it to all consumers. */
  isolate(id: NodeId): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#isolated.add(id);
    this.#update(id, entry);
    this.#remote?.block(id);
  }

  /**
   * Call this when the node works again. It is used again after the event `unblocked`, which follows the next
   * successful refresh.
   */
  restore(id: NodeId): void {
    if (!this.#isolated.delete(id)) return;
    this.#remote?.restore(id);
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#update(id, entry);
  }

  /** Applies the events synchronously, so that nothing is applied after the deadline of the call. */
  applyEvents(events: readonly RemoteTopologyEvent[]): void {
    // Start the grace period again: more joins of the new epoch may follow, even if this batch fails.
    if (this.#sweep !== undefined) this.#scheduleSweep();
    for (const event of events) {
      if (!this.#filter.isNew(event)) continue;
      if (event.epoch !== this.#epoch) this.#beginEpoch(event.epoch);
      this.#apply(event);
      // Accept the event only after it was applied, so that it is applied again when its batch failed and is repeated.
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
        // A block ends with its epoch. Within one epoch only `leave` or `unblocked` removes it.
        const isBlocked = known?.epoch === epoch && known.isBlocked;
        const entry = { node, epoch, isBlocked, channel: known?.channel };
        this.#update(id, entry);
        this.#entries.set(id, entry);
        if (known?.epoch !== epoch && this.#isolated.has(id)) this.#remote?.block(id);
        return;
      }
      case "leave":
        this.#remove(id, known);
        return;
      case "blocked":
      case "unblocked":
        // A node that has not joined has no channel.
        if (known === undefined) return;
        known.isBlocked = kind === "blocked";
        this.#update(id, known);
        return;
      default:
        // A new kind of event causes a type error here, and an exception in an older build.
        throw new Error(`unknown kind of event: ${String(kind satisfies never)}`);
    }
  }

  /** Closes a channel that must not be open, or opens a missing one. */
  #update(id: NodeId, entry: Entry): void {
    const { node, channel } = entry;
    const isWanted = !entry.isBlocked && !this.#isolated.has(id);
    const isSameAddress = channel?.node.host === node.host && channel.node.port === node.port;
    if (channel !== undefined && !(isWanted && isSameAddress)) {
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

  /**
   * Called when the service has restarted. Every member joins again. A node that left before the restart gets no
   * `leave`, so channels of nodes that do not join are closed later.
   */
  #beginEpoch(epoch: Epoch): void {
    this.#epoch = epoch;
    if (this.#entries.size > 0) this.#scheduleSweep();
  }

  #scheduleSweep(): void {
    const { clock, graceMs = 60_000 } = this.#options;
    this.#sweep?.[Symbol.dispose]();
    this.#sweep = clock.schedule(graceMs, () => this.#sweepOnceReady());
  }

  /** While the topology is not `ready`, joins are held back, so a node that has not joined may still be a member. */
  #sweepOnceReady(): void {
    if (this.#status !== "ready") return this.#scheduleSweep();
    this.#sweep = undefined;
    for (const [id, entry] of this.#entries) {
      if (entry.epoch !== this.#epoch) this.#remove(id, entry);
    }
  }
}
