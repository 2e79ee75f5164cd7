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
  /** Where blocked and restored nodes are reported to: most often the `WatchHub` that is the source. */
  readonly blocks: NodeBlocks;
  /** Events in one call; more go out in several, and the event loop turns in between. @defaultValue 1000 */
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
 * Brings Remoting from what it last acknowledged to the newest topology, with as few events as that takes. While the
 * topology is not `ready`, joins are held back, and so are those of members that only a guard retains; leaves and blocks
 * are not.
 */
export class RemotingBridge implements NodeBlocks, AsyncDisposable {
  readonly #options: RemotingBridgeOptions;
  readonly #source: TopologySource;
  readonly #lane: Lane;
  readonly #worker: PortWorker;
  readonly #ledger = new RemoteLedger();
  #target: PendingSnapshot | undefined;
  /** The place in the log from which on a pass is due; undefined when none is. */
  #dueSince: number | undefined;
  /** A pass that a failing call has broken off. It goes on with the same events, or is over when something newer came. */
  #open: OpenPass | undefined;
  /** Of the last pass. */
  #passSeqNo = 0;
  #settledSeqNo = 0;

  /** Begins with the state the source is in. */
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

  /** How the port is doing. */
  get port(): PortReport {
    return { ...this.#worker.report(), seqNo: this.#settledSeqNo };
  }

  /** Reports a node that Remoting isolated. False when it is blocked already, or is not a member. */
  block(nodeId: NodeId): boolean {
    return this.#options.blocks.block(nodeId);
  }

  /** Asks to lift a block at the next good refresh. False when the node is not blocked, or is being restored already. */
  restore(nodeId: NodeId): boolean {
    return this.#options.blocks.restore(nodeId);
  }

  /** The members of the newest snapshot, sorted by id, and how Remoting stands with each. */
  nodes(): Iterable<RemoteNodeReport> {
    const { snapshot, restoringNodes } = this.#source.state;
    return snapshot === undefined ? [] : this.#ledger.report(snapshot, restoringNodes);
  }

  /** How Remoting stands with one member; undefined for a node that is not a member. */
  node(nodeId: NodeId): RemoteNodeReport | undefined {
    const { snapshot, restoringNodes } = this.#source.state;
    return snapshot && this.#ledger.report(snapshot, restoringNodes, nodeId).next().value;
  }

  /**
   * From now on new snapshots are refused. Resolves when what waited has been delivered or given up, or when the signal aborts:
   * then a call in progress is abandoned and what was left is named.
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
    // The notice may have set held joins free, or have broken off the last pass. One pass a number: other events that have the
    // number of earlier ones would be taken for repeats.
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
      ledger.doubt(open.batch);
      ledger.land();
      // Other events must not have the same number: what holds the joins brings a later one.
      if (open.seqNo === seqNo) return "done";
      open = undefined;
    }
    if (open === undefined) ledger.aim(target);
    // What is known to be outdated is not sent any further; the next pass goes on from where this one ends.
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
        ledger.doubt(batch);
        break;
      }
      open = undefined;
      ledger.acknowledge(batch, at);
      if (!ledger.hasMore) break;
      await clock.yield();
    }
    ledger.land();
    if (ledger.isSettled) this.#settledSeqNo = target.seqNo;
    return "done";
  }

  /** Anything but `done`: the batch may have arrived or not. */
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

  /** Some join among the events has to wait. */
  #holdsAny(events: readonly RemoteTopologyEvent[]): boolean {
    const holdsJoin = this.#holdsJoin();
    return events.some(({ kind, node }) => kind === "join" && holdsJoin(node.id));
  }

  /**
   * Joins are withheld while the topology is stale, and for members the active provider does not list. While it is degraded only
   * because a guard keeps such members, the others are current and may join.
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
