import {
  includesSorted,
  type NodeBlocks,
  type NodeId,
  type PortReport,
  type RemoteNodeReport,
  type TopologyNotice,
  type TopologySource,
  type RemoteTopologyEvent,
  type RemotingPort,
} from "@holdfast/core";
import type { BridgeOptions, DrainOptions, DrainReport } from "./bridge-options.ts";
import { Lane } from "./lane.ts";
import type { CallOutcome } from "./port-caller.ts";
import type { PortWorker, TaskContext } from "./port-worker.ts";
import { RemoteLedger, type PlannedChange } from "./remote-ledger.ts";
import type { PendingSnapshot } from "./snapshot-tick.ts";

export interface RemotingBridgeOptions extends BridgeOptions {
  readonly port: RemotingPort;
  /** Receives reports of blocked and restored nodes: usually the `WatchHub` that is the source. */
  readonly blocks: NodeBlocks;
  /** Maximum number of events in one call. The bridge yields to the event loop between two calls. @defaultValue 1000 */
  readonly batchSize?: number | undefined;
}

type Outcome = CallOutcome<unknown>["kind"];

interface OpenPass {
  readonly batch: readonly PlannedChange[];
  readonly events: readonly RemoteTopologyEvent[];
  readonly target: PendingSnapshot;
  readonly seqNo: number;
}

/**
 * Brings Remoting from the state it last acknowledged to the newest topology, with as few events as possible. While the
 * topology is not `ready`, joins are held back, as are joins of members that are only retained by a guard. Leaves and
 * blocks are not held back.
 */
export class RemotingBridge implements NodeBlocks, AsyncDisposable {
  readonly #options: RemotingBridgeOptions;
  readonly #source: TopologySource;
  readonly #lane: Lane;
  readonly #worker: PortWorker;
  readonly #ledger = new RemoteLedger();
  #target: PendingSnapshot | undefined;
  /** The `seqNo` of the event that made a pass necessary; undefined when no pass is due. */
  #dueSince: number | undefined;
  /**
   * A pass that was interrupted by a failing call. It continues with the same events, or ends when something newer has
   * arrived.
   */
  #open: OpenPass | undefined;
  /** The `seqNo` of the last pass. */
  #passSeqNo = 0;
  #settledSeqNo = 0;

  /** Starts with the current state of the source. */
  constructor(options: RemotingBridgeOptions) {
    this.#options = options;
    this.#source = options.source;
    this.#lane = new Lane("remoting", options, {
      applySnapshot: (pending) => this.#worker.takeSnapshot(pending),
      notify: (notice) => this.#worker.takeNotice(notice),
    });
    this.#worker = this.#lane.createWorker("remoting", {
      applySnapshot: (pending) => {
        this.#target = pending;
        this.#dueSince = pending.seqNo;
        return Promise.resolve("done");
      },
      notify: (notice, context) => this.#notify(notice, context),
      more: () => {
        const seqNo = this.#dueSince;
        return seqNo === undefined ? undefined : (context) => this.#reconcile(seqNo, context);
      },
    });
  }

  /** Reports the port: its last tick, failures, and waiting and parked notices. */
  get port(): PortReport {
    return { ...this.#worker.report(), seqNo: this.#settledSeqNo };
  }

  /** Reports a node that Remoting isolated. Returns false when it is already blocked or is not a member. */
  block(nodeId: NodeId): boolean {
    return this.#options.blocks.block(nodeId);
  }

  /**
   * Requests that a block is lifted at the next good refresh. Returns false when the node is not blocked, or is already
   * being restored.
   */
  restore(nodeId: NodeId): boolean {
    return this.#options.blocks.restore(nodeId);
  }

  /** The members of the newest snapshot, sorted by id, each with its state at Remoting. */
  nodes(): Iterable<RemoteNodeReport> {
    const { snapshot, restoringNodes } = this.#source.state;
    return snapshot === undefined ? [] : this.#ledger.report(snapshot, restoringNodes);
  }

  /** The state of one member at Remoting; undefined for a node that is not a member. */
  node(nodeId: NodeId): RemoteNodeReport | undefined {
    const { snapshot, restoringNodes } = this.#source.state;
    return snapshot && this.#ledger.report(snapshot, restoringNodes, nodeId).next().value;
  }

  /**
   * Refuses new snapshots from now on. Resolves when everything that was waiting has been delivered or given up. When
   * the signal aborts first, a call in progress is abandoned and the result names what was left.
   */
  drain(options: DrainOptions): Promise<DrainReport> {
    return this.#lane.drain(options);
  }

  /** Stops at once; a call in progress is abandoned. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lane[Symbol.asyncDispose]();
  }

  async #notify(notice: TopologyNotice, { tries }: TaskContext): Promise<Outcome> {
    const { kind } = await this.#worker.caller.call({
      call: "notify",
      seqNo: notice.seqNo,
      run: (options) => this.#options.port.notify(notice, options),
      tries,
    });
    // The new status may allow joins that were held back, or the notice may have interrupted the last pass. There is
    // only one pass for each number: different events with the number of earlier ones would be dropped as repeats.
    if (this.#target !== undefined && !this.#ledger.isSettled && notice.seqNo > this.#passSeqNo) {
      this.#dueSince = notice.seqNo;
    }
    return kind;
  }

  async #reconcile(seqNo: number, context: TaskContext): Promise<Outcome> {
    const target = this.#target;
    this.#dueSince = undefined;
    this.#passSeqNo = seqNo;
    if (target === undefined) return "done";
    const { clock, batchSize = 1_000 } = this.#options;
    const ledger = this.#ledger;
    let open = this.#open;
    this.#open = undefined;
    if (
      open !== undefined &&
      (open.target !== target || open.seqNo !== seqNo || this.#holdsAny(open.events))
    ) {
      ledger.markUncertain(open.batch);
      ledger.endPass();
      // Different events must not have the same number. The event that made the joins wait has a later one.
      if (open.seqNo === seqNo) return "done";
      open = undefined;
    }
    if (open === undefined) ledger.setTarget(target);
    // Outdated events are not sent; the next pass continues where this one ends.
    while (open !== undefined || !context.isOutdated()) {
      const batch: readonly PlannedChange[] = open?.batch ?? ledger.next(batchSize, this.#holdsJoin());
      if (batch.length === 0) break;
      const at = clock.now();
      const events: readonly RemoteTopologyEvent[] = open?.events ?? toEvents(batch, target, seqNo, at);
      const outcome = await this.#send(events, seqNo, context);
      if (outcome === "failed") {
        this.#open = { batch, events, target, seqNo };
        this.#dueSince = seqNo;
        return outcome;
      }
      if (outcome === "outdated") {
        ledger.markUncertain(batch);
        break;
      }
      open = undefined;
      ledger.acknowledge(batch, at);
      if (!ledger.hasMore) break;
      await clock.yield();
    }
    ledger.endPass();
    if (ledger.isSettled) this.#settledSeqNo = target.seqNo;
    return "done";
  }

  /** For any outcome other than `done` the batch may have arrived or not. */
  async #send(
    events: readonly RemoteTopologyEvent[],
    seqNo: number,
    { tries, isOutdated }: TaskContext,
  ): Promise<Outcome> {
    const { kind } = await this.#worker.caller.call({
      call: "applyEvents",
      seqNo,
      run: (options) => this.#options.port.applyEvents(events, options),
      tries,
      isOutdated: () => isOutdated() || this.#holdsAny(events),
    });
    return kind;
  }

  /** True when a join among the events has to wait. */
  #holdsAny(events: readonly RemoteTopologyEvent[]): boolean {
    const holdsJoin = this.#holdsJoin();
    return events.some(({ kind, node }) => kind === "join" && holdsJoin(node.id));
  }

  /**
   * Returns whether the join of a node is held back: while the topology is stale, and for members that the active
   * provider does not list. While the topology is degraded only because a guard retains such members, the others are
   * current and may join.
   */
  #holdsJoin(): (id: NodeId) => boolean {
    const { status } = this.#lane;
    const { snapshot, isStale } = this.#source.state;
    const retained = snapshot?.retained;
    const isGuarded = status === "degraded" && !isStale && retained !== undefined;
    if (status !== "ready" && !isGuarded) return () => true;
    return (id) => includesSorted(retained, id);
  }
}

function toEvents(
  batch: readonly PlannedChange[],
  { epoch, snapshot: { providerId, hash: snapshotHash } }: PendingSnapshot,
  seqNo: number,
  at: number,
): readonly RemoteTopologyEvent[] {
  const prefix = `${epoch}/${seqNo}/`;
  const events: RemoteTopologyEvent[] = [];
  for (const { steps } of batch) {
    for (const { kind, node } of steps) {
      const key = `${prefix}${node.id}/${kind}`;
      events.push({ key, kind, providerId, node, epoch, seqNo, snapshotHash, at });
    }
  }
  return events;
}
