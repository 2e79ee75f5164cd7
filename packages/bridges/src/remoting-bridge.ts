import {
  includesSorted,
  type NodeBlocks,
  type NodeId,
  type RemoteNodeReport,
  type TopologyNotice,
  type TopologySource,
} from "@holdfast/core";
import type { BridgeOptions, DrainOptions, DrainReport } from "./bridge-options.ts";
import { Lane } from "./lane.ts";
import { RemoteLedger, type PlannedChange } from "./remote-ledger.ts";
import type { RemoteTopologyEvent } from "./remote-topology-event.ts";
import type { RemotingPort } from "./remoting-port.ts";
import type { PendingSnapshot } from "./snapshot-tick.ts";

export interface RemotingBridgeOptions extends BridgeOptions {
  readonly port: RemotingPort;
  /** Where blocked and restored nodes are reported to: most often the `WatchHub` that is the source. */
  readonly blocks: NodeBlocks;
  /** Events in one call; more go out in several, and the event loop turns in between. @defaultValue 1000 */
  readonly batchSize?: number | undefined;
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
  readonly #ledger = new RemoteLedger();
  #target: PendingSnapshot | undefined;

  /** Begins with the state the source is in. */
  constructor(options: RemotingBridgeOptions) {
    this.#options = options;
    this.#source = options.source;
    this.#lane = new Lane("remoting", options, {
      applySnapshot: (pending) => {
        this.#target = pending;
        return this.#reconcile(pending.seqNo);
      },
      notify: (notice) => this.#notify(notice),
    });
  }

  /** Tells the topology that Remoting isolated a node. False when it is blocked already or no member. */
  block(nodeId: NodeId): boolean {
    return this.#options.blocks.block(nodeId);
  }

  /** Asks to lift a block at the next good refresh. False when it is not blocked or already being restored. */
  restore(nodeId: NodeId): boolean {
    return this.#options.blocks.restore(nodeId);
  }

  /** The members of the newest snapshot, sorted by id, and how Remoting stands with each. */
  nodes(): Iterable<RemoteNodeReport> {
    const { snapshot, restoringNodes } = this.#source.state;
    return snapshot === undefined ? [] : this.#ledger.report(snapshot, restoringNodes);
  }

  /** How Remoting stands with one member; undefined for who is none. */
  node(nodeId: NodeId): RemoteNodeReport | undefined {
    const { snapshot, restoringNodes } = this.#source.state;
    return snapshot && this.#ledger.report(snapshot, restoringNodes, nodeId).next().value;
  }

  /**
   * From now on new snapshots are refused. Resolves when what waited has been told, or when the signal aborts: then a call
   * under way is abandoned and what was left is named.
   */
  drain(options: DrainOptions): Promise<DrainReport> {
    return this.#lane.drain(options);
  }

  /** Stops at once; a call under way is abandoned. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lane[Symbol.asyncDispose]();
  }

  async #notify(notice: TopologyNotice): Promise<void> {
    await this.#lane.call({
      port: "remoting",
      call: "notify",
      seqNo: notice.seqNo,
      run: (options) => this.#options.port.notify(notice, options),
    });
    // The notice may have set held joins free, or have broken off the last pass.
    if (!this.#ledger.isSettled) await this.#reconcile(notice.seqNo);
  }

  async #reconcile(seqNo: number): Promise<void> {
    const target = this.#target;
    if (target === undefined) return;
    const { clock, batchSize = 1_000 } = this.#options;
    const ledger = this.#ledger;
    ledger.aim(target);
    // What is known to be outdated is not told any further; the next pass goes on from where this one ends.
    while (!this.#lane.hasNewer) {
      const batch = ledger.next(batchSize, this.#holdsJoin());
      if (batch.length === 0) break;
      const at = clock.now();
      if (!(await this.#tell(toEvents(batch, target, seqNo, at), seqNo))) {
        ledger.doubt(batch);
        break;
      }
      ledger.acknowledge(batch, at);
      if (!ledger.hasMore) break;
      await clock.yield();
    }
    ledger.land();
  }

  /** False when the batch was given up, and may have arrived or not. */
  async #tell(events: readonly RemoteTopologyEvent[], seqNo: number): Promise<boolean> {
    const joins = events.filter((event) => event.kind === "join");
    const done = await this.#lane.call({
      port: "remoting",
      call: "applyEvents",
      seqNo,
      run: (options) => this.#options.port.applyEvents(events, options),
      isOutdated: () => this.#lane.hasNewer || joins.map(({ node }) => node.id).some(this.#holdsJoin()),
    });
    return done !== undefined;
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
