import {
  callIsolated,
  toProvisioningError,
  type Clock,
  type Epoch,
  type EventsOptions,
  type KnownGood,
  type MemberSet,
  type NodeBlocks,
  type NodeId,
  type ProviderHealthReport,
  type ProviderSnapshot,
  type ProvisioningError,
  type ReadOptions,
  type SnapshotStore,
  type TopologyEvent,
  type TopologyReader,
  type TopologyState,
} from "@holdfast/core";
import type { Failover } from "@holdfast/failover";
import { SnapshotKeeper, type NodeExplanation, type WatchHub } from "@holdfast/hub";
import type { ContentMemory } from "../mirror/content-memory.ts";

export interface FollowedTopologyParts {
  readonly hub: WatchHub;
  readonly failover: Failover;
  readonly clock: Clock;
  readonly onWarning: (warning: ProvisioningError) => unknown;
  /** Names what is followed: a snapshot that was saved while something else was followed is not used. */
  readonly source: string;
  /** Receives the content of the last known good snapshot, which a daemon then need not send again. */
  readonly memory: ContentMemory;
  readonly lastKnownGood?: FollowedSnapshotOptions | undefined;
}

export interface FollowedSnapshotOptions {
  readonly store: SnapshotStore;
  /** A snapshot that was confirmed longer ago is not used, in milliseconds. @defaultValue 3600000 */
  readonly maxAgeMs?: number | undefined;
  /** How often a new snapshot is saved, in milliseconds. @defaultValue 10000 */
  readonly saveEveryMs?: number | undefined;
}

/** One topology that is followed from a daemon: the same read side as in the daemon's own process. Made by `follow`. */
export class FollowedTopology implements TopologyReader, NodeBlocks, AsyncDisposable {
  readonly #parts: FollowedTopologyParts;
  readonly #starting: Promise<void>;
  #keeper: SnapshotKeeper | undefined;
  #isClosed = false;

  constructor(parts: FollowedTopologyParts) {
    this.#parts = parts;
    this.#starting = this.#start();
  }

  get state(): TopologyState {
    return this.#parts.hub.state;
  }

  /** Names this process's copy of the log: every copy numbers its own events. `revision` of a snapshot is the daemon's position. */
  get epoch(): Epoch {
    return this.#parts.hub.epoch;
  }

  /**
   * The newest members, sorted by id. Throws `TOPOLOGY_NO_SNAPSHOT`, `TOPOLOGY_EMPTY`, `TOPOLOGY_UNAVAILABLE`,
   * `LIFECYCLE_SHUTTING_DOWN` or `LIFECYCLE_STOPPED` when there are none to work with: unknown is never empty.
   */
  members(): MemberSet {
    return this.#parts.hub.newest().members;
  }

  onEvent(listener: (event: TopologyEvent) => unknown): () => void {
    return this.#parts.hub.onEvent(listener);
  }

  eventsSince(epoch: Epoch, seqNo: number, limit?: number): readonly TopologyEvent[] | undefined {
    return this.#parts.hub.eventsSince(epoch, seqNo, limit);
  }

  events(options?: EventsOptions): AsyncIterable<TopologyEvent> {
    return this.#parts.hub.events(options);
  }

  snapshots(options?: ReadOptions): AsyncIterable<ProviderSnapshot> {
    return this.#parts.hub.snapshots(options);
  }

  waitFor(predicate: (state: TopologyState) => boolean, options?: ReadOptions): Promise<TopologyState> {
    return this.#parts.hub.waitFor(predicate, options);
  }

  ready(options?: ReadOptions): Promise<ProviderSnapshot> {
    return this.#parts.hub.ready(options);
  }

  /** Why a node is in, out, held or blocked, as far as this process knows it. */
  explain(nodeId: NodeId): NodeExplanation {
    return this.#parts.hub.explain(nodeId, { views: this.#parts.failover.providerViews() });
  }

  /** Blocks a node in this process only: a follower never changes what the daemon believes. */
  block(nodeId: NodeId): boolean {
    return this.#parts.hub.block(nodeId);
  }

  /** Lifts a block of this process at the next good refresh. Those of the daemon stay. */
  restore(nodeId: NodeId): boolean {
    return this.#parts.hub.restore(nodeId);
  }

  /** One report for each daemon: which one is followed, when it was last heard, and what is wrong with it. */
  daemons(): readonly ProviderHealthReport[] {
    return this.#parts.failover.health();
  }

  /** How long ago the daemon that is followed confirmed the content, in milliseconds; undefined before the first time. */
  confirmedMsAgo(): number | undefined {
    const at = this.#parts.failover.health().find(({ isActive }) => isActive)?.confirmedAt;
    return at === undefined ? undefined : Math.max(0, this.#parts.clock.now() - at);
  }

  /** Ends every connection and iteration. May be called again. */
  async close(): Promise<void> {
    if (!this.#isClosed) this.#parts.hub.drain("closed");
    this.#isClosed = true;
    await this.#starting;
    await this.#keeper?.[Symbol.asyncDispose]();
    await this.#parts.hub[Symbol.asyncDispose]();
    await this.#parts.failover[Symbol.asyncDispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Never rejects. */
  async #start(): Promise<void> {
    const { hub, lastKnownGood, clock } = this.#parts;
    if (lastKnownGood === undefined) return hub.start();
    const { store, maxAgeMs = 3_600_000, saveEveryMs = 10_000 } = lastKnownGood;
    await this.#restore(store, maxAgeMs);
    if (this.#isClosed) return;
    hub.start();
    this.#keeper = new SnapshotKeeper({
      source: hub,
      store,
      clock,
      confirmation: () => this.#confirmation(),
      saveEveryMs,
      refreshMs: maxAgeMs / 10,
      onError: (error) => this.#warn(error),
    });
  }

  async #restore(store: SnapshotStore, maxAgeMs: number): Promise<void> {
    try {
      const known = await store.load();
      if (known === undefined || known.source !== this.#parts.source || this.#isClosed) return;
      this.#parts.failover.restore({ known, maxAgeMs });
      const { memory } = this.#parts;
      memory.newest ??= known.snapshot;
      memory.restored = known.snapshot;
    } catch (error) {
      this.#warn(toProvisioningError(error, "STORE_IO", "the last known good snapshot could not be loaded"));
    }
  }

  #confirmation(): Omit<KnownGood, "snapshot"> | undefined {
    const confirmedAt = this.#parts.failover.health().find(({ isActive }) => isActive)?.confirmedAt;
    return confirmedAt === undefined ? undefined : { confirmedAt, source: this.#parts.source };
  }

  #warn(error: ProvisioningError): void {
    callIsolated(() => this.#parts.onWarning(error));
  }
}
