import {
  callIsolated,
  createSnapshot,
  createTypedEvents,
  diffSnapshots,
  followLog,
  MemberSet,
  ProvisioningError,
  readSnapshots,
  refusalOf,
  systemClock,
  systemRandom,
  toProvisioningError,
  toReason,
  waitForState,
  waitUntilReady,
  type Availability,
  type Clock,
  type Epoch,
  type EventsOptions,
  type GuardHold,
  type NodeBlocks,
  type NodeId,
  type ProviderId,
  type ProviderSnapshot,
  type Random,
  type ReadOptions,
  type Reason,
  type SnapshotDelta,
  type StreamTerminatedEvent,
  type TopologyEvent,
  type TopologyEventDraft,
  type TopologyReader,
  type TopologyState,
  type TopologyStatus,
  type Update,
  type UpdateSource,
} from "@holdfast/core";
import { announce, NOTHING_ANNOUNCED, type Announced, type Announcement } from "./announcer.ts";
import { BlockList } from "./block-list.ts";
import { eventChannel } from "./diagnostics.ts";
import { createEpoch } from "./epoch.ts";
import { EventLog } from "./event-log.ts";
import { explainNode, type ExplainOptions, type NodeExplanation } from "./explain-node.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { STARTING, toStatus, type Status } from "./to-status.ts";

export interface WatchHubOptions {
  /** Where updates come from: a `Failover`. */
  readonly source: UpdateSource;
  /** @defaultValue systemClock */
  readonly clock?: Clock | undefined;
  /** @defaultValue Math.random */
  readonly random?: Random | undefined;
  /** Names this run; must sort after the epochs of earlier runs. @defaultValue made of `clock` and `random` */
  readonly epoch?: Epoch | undefined;
  /** How many events `eventsSince` can go back. @defaultValue 1000 */
  readonly retainedEvents?: number | undefined;
  /** How many nodes' worth of memory those events may hold besides the newest snapshot. @defaultValue 100000 */
  readonly retainedChanges?: number | undefined;
  /**
   * Receives what a listener threw, snapshots refused while draining, `TOPOLOGY_NOT_CURRENT` for a node that was blocked while the
   * topology was not current, and the failure of the source. What it throws is ignored. @defaultValue ignored
   */
  readonly onError?: ((error: ProvisioningError) => unknown) | undefined;
}

export interface HubStartOptions {
  /**
   * Replaces the epoch given at construction, for one that is only known later. Positions that name the first one stay valid. Only the
   * first start takes it.
   */
  readonly epoch?: Epoch | undefined;
}

/**
 * Puts updates into one ordered log and keeps the state that they have led to. The state is set before listeners are called, and a
 * listener that throws does not affect the others.
 */
export class WatchHub implements TopologyReader, NodeBlocks, AsyncDisposable {
  readonly #options: WatchHubOptions;
  readonly #clock: Clock;
  /** Until the start; nothing was in the log then, so both epochs name the same log. */
  readonly #firstEpoch: Epoch;
  #epoch: Epoch;
  readonly #events;
  readonly #log: EventLog;
  readonly #blocks = new BlockList();
  readonly #terminations = new Map<ProviderId, StreamTerminatedEvent>();
  readonly #stop = new AbortController();
  /** A listener that blocks a node makes a new event, which waits until every listener has received this one. */
  readonly #outbox = new OneAtATime<TopologyEvent>((event) => this.#events.emit("event", event));
  /** A listener that acts on the source causes an update, which waits until this one has been announced whole. */
  readonly #inbox = new OneAtATime<Update>((update) => this.#take(update));
  #announced: Announced = NOTHING_ANNOUNCED;
  #run: Promise<void> | undefined;
  #seqNo = 0;
  #snapshot: ProviderSnapshot | undefined;
  #snapshotSeqNo = 0;
  #holds: readonly GuardHold[] = [];
  #availability: Availability = "available";
  #availabilityReason = "";
  #availabilityCause: Reason | undefined;
  #lifecycle: "running" | "draining" | "stopped" = "running";
  #lifecycleReason = "";
  #status: Status = STARTING;
  #announcedStatus: TopologyStatus = "starting";
  #isAnnouncedStale = false;

  constructor(options: WatchHubOptions) {
    const { clock = systemClock, random = systemRandom } = options;
    this.#options = options;
    this.#clock = clock;
    this.#epoch = this.#firstEpoch =
      options.epoch ?? createEpoch(Math.max(0, Math.floor(clock.now())), random);
    this.#log = new EventLog({
      retainedEvents: options.retainedEvents ?? 1_000,
      retainedChanges: options.retainedChanges ?? 100_000,
    });
    this.#events = createTypedEvents<{ event: TopologyEvent }>((cause) =>
      this.#report(
        new ProvisioningError("LIFECYCLE_CONSUMER_FAILED", "a listener of the topology threw", { cause }),
      ),
    );
  }

  /**
   * Begins to watch; the first events may be emitted before it returns. A second call does nothing; after a drain or disposal it
   * throws `LIFECYCLE_STOPPED`.
   */
  start({ epoch }: HubStartOptions = {}): void {
    if (this.#lifecycle !== "running")
      throw new ProvisioningError("LIFECYCLE_STOPPED", "the hub was stopped");
    if (this.#run !== undefined) return;
    this.#epoch = epoch ?? this.#epoch;
    this.#run = this.#watch();
  }

  /** The epoch of every event. It may change once, when the hub starts, before the first event. */
  get epoch(): Epoch {
    return this.#epoch;
  }

  get state(): TopologyState {
    return {
      epoch: this.epoch,
      seqNo: this.#seqNo,
      status: this.#status.status,
      statusReason: this.#status.reason,
      statusCause: this.#status.cause,
      snapshot: this.#snapshot,
      snapshotSeqNo: this.#snapshotSeqNo,
      restoringNodes: this.#blocks.restoring,
      isStale:
        this.#snapshot !== undefined && (this.#availability !== "available" || this.#lifecycle === "stopped"),
      holds: this.#holds,
    };
  }

  /**
   * The newest snapshot to base new work on. Throws `TOPOLOGY_NO_SNAPSHOT`, `TOPOLOGY_EMPTY`, `TOPOLOGY_UNAVAILABLE`,
   * `LIFECYCLE_SHUTTING_DOWN` or `LIFECYCLE_STOPPED`; `state.snapshot` stays readable throughout.
   */
  newest(): ProviderSnapshot {
    const refusal = refusalOf(this.state);
    if (refusal !== undefined) throw refusal;
    return this.#snapshot!;
  }

  onEvent(listener: (event: TopologyEvent) => unknown): () => void {
    return this.#events.on("event", listener);
  }

  /**
   * The events after `seqNo` in order, at most `limit`; `undefined` when the epoch is another one or the gap is too old to
   * fill.
   */
  eventsSince(epoch: Epoch, seqNo: number, limit?: number): readonly TopologyEvent[] | undefined {
    const isOurs = epoch === this.#epoch || epoch === this.#firstEpoch;
    return isOurs ? this.#log.since(seqNo, this.#seqNo, limit) : undefined;
  }

  events({ from, signal }: EventsOptions = {}): AsyncIterable<TopologyEvent> {
    return followLog({ log: this, from: from ?? { epoch: this.epoch, seqNo: this.#seqNo }, signal });
  }

  snapshots(options?: ReadOptions): AsyncIterable<ProviderSnapshot> {
    return readSnapshots(this, options);
  }

  waitFor(predicate: (state: TopologyState) => boolean, options?: ReadOptions): Promise<TopologyState> {
    return waitForState(this, predicate, options);
  }

  ready(options?: ReadOptions): Promise<ProviderSnapshot> {
    return waitUntilReady(this, options);
  }

  /** How each provider's stream ended last, with the hash of its last snapshot; oldest first. */
  terminations(): readonly StreamTerminatedEvent[] {
    return [...this.#terminations.values()];
  }

  /**
   * Why a node is in, out, held or blocked: by which provider, when, at which `seqNo`, by which rule. Goes back as far as the log is
   * kept.
   */
  explain(nodeId: NodeId, options?: ExplainOptions): NodeExplanation {
    return explainNode(nodeId, this.state, this.#log.events, options);
  }

  block(nodeId: NodeId): boolean {
    const snapshot = this.#snapshot;
    if (this.#lifecycle !== "running" || snapshot === undefined) return false;
    // Held content may lack a node that is still blocked: its restoration is taken back all the same.
    if (!snapshot.members.has(nodeId) && !this.#blocks.has(nodeId)) return false;
    if (!this.#blocks.block(nodeId)) return false;
    if (this.#availability !== "available") this.#warnOfStaleBlock(nodeId);
    this.#show(snapshot, false);
    return true;
  }

  /** By now the node may have left, or another may have its id. */
  #warnOfStaleBlock(nodeId: NodeId): void {
    const { status, statusReason } = this.state;
    const message = `"${nodeId}" was blocked while the topology is ${status}: ${statusReason}`;
    this.#report(new ProvisioningError("TOPOLOGY_NOT_CURRENT", message, { details: { nodeId, status } }));
  }

  restore(nodeId: NodeId): boolean {
    return this.#lifecycle === "running" && this.#blocks.restore(nodeId);
  }

  /** Ends the watch: new snapshots are refused. The last one stays readable for consumers that drain. */
  drain(reason: string): void {
    if (this.#lifecycle !== "running") return;
    this.#lifecycle = "draining";
    this.#lifecycleReason = reason;
    this.#settleStatus();
    this.#stop.abort();
  }

  /** Ends the watch, emits `stopped`, then removes every listener. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#run;
    if (this.#lifecycle === "stopped") return;
    this.#lifecycle = "stopped";
    this.#lifecycleReason = "everything has stopped";
    this.#settleStatus();
    this.#events.clear();
  }

  /** A source that ends or fails by itself leaves the topology unavailable. Never rejects. */
  async #watch(): Promise<void> {
    const { source } = this.#options;
    const { signal } = this.#stop;
    let cause: ProvisioningError | undefined;
    try {
      await source.run({ signal, onUpdate: (update) => this.#inbox.push(update) });
    } catch (error) {
      cause = toProvisioningError(error, "STREAM_FAILED", "the source of updates failed");
    }
    if (signal.aborted) return;
    if (cause !== undefined) this.#report(cause);
    this.#availability = "unavailable";
    this.#availabilityReason = cause?.message ?? "the source of updates has ended";
    this.#availabilityCause = cause && toReason(cause);
    this.#settleStatus();
  }

  #take(update: Update): void {
    const { announcements, after } = announce(this.#announced, update);
    this.#announced = after;
    let isRefreshed = false;
    for (const announcement of announcements) {
      // Checked each time: a listener may have drained the hub.
      if (this.#lifecycle !== "running") this.#refuse(announcement);
      else {
        if (announcement.type === "content")
          isRefreshed = update.isFresh && this.#isGood(announcement.snapshot);
        this.#carryOut(announcement, isRefreshed);
      }
    }
    if (update.isFresh && !isRefreshed && this.#lifecycle === "running") this.#refresh();
  }

  #carryOut(announcement: Announcement, isRefreshed: boolean): void {
    switch (announcement.type) {
      case "content":
        return this.#show(announcement.snapshot, isRefreshed);
      case "availability":
        this.#availability = announcement.availability;
        this.#availabilityReason = announcement.reason;
        this.#availabilityCause = announcement.cause;
        return this.#settleStatus();
      case "switch": {
        const { from, to, reason, cause } = announcement;
        const snapshotHash = this.#snapshot?.hash;
        const draft = { kind: "provider_changed", from, to, reason, snapshotHash } as const;
        return this.#append({ ...draft, ...(cause && { cause }) });
      }
      case "hold": {
        const { isHolding, hold } = announcement;
        const others = this.#holds.filter(
          ({ guard, providerId }) => guard !== hold.guard || providerId !== hold.providerId,
        );
        this.#holds = isHolding ? [...others, hold] : others;
        this.#setStatus();
        return this.#append({ kind: "guard_changed", isHolding, ...hold });
      }
      case "health": {
        const { providerId, from, to, reason } = announcement;
        return this.#append({ kind: "health_changed", providerId, from, to, reason });
      }
      case "stream_end": {
        const { providerId, reason } = announcement;
        // The hash in force includes blocked nodes.
        const isInForce = providerId === this.#snapshot?.providerId;
        const snapshotHash = isInForce ? this.#snapshot?.hash : announcement.snapshotHash;
        return this.#append({ kind: "stream_terminated", providerId, reason, snapshotHash });
      }
    }
  }

  #refuse(announcement: Announcement): void {
    if (announcement.type !== "content") return;
    const { providerId } = announcement.snapshot;
    this.#report(
      new ProvisioningError("LIFECYCLE_SHUTTING_DOWN", `a snapshot of "${providerId}" was refused`, {
        details: { providerId, reason: this.#lifecycleReason },
      }),
    );
  }

  /** Keeps one termination for each provider, and drops the oldest when there are too many. */
  #keepTermination(event: StreamTerminatedEvent): void {
    this.#terminations.delete(event.providerId);
    this.#terminations.set(event.providerId, event);
    const [oldest] = this.#terminations.keys();
    if (this.#terminations.size > MAX_TERMINATIONS && oldest !== undefined) this.#terminations.delete(oldest);
  }

  #report(error: ProvisioningError): void {
    callIsolated(() => this.#options.onError?.(error));
  }

  /** The backend has confirmed the content in force: the blocks of restored nodes are lifted. */
  #refresh(): void {
    if (this.#snapshot === undefined || !this.#isGood(this.#snapshot)) return;
    if (this.#blocks.refresh(this.#snapshot)) this.#show(this.#snapshot, false);
  }

  /** Current, and no guard keeps members that the active provider does not list: blocks may be lifted. */
  #isGood({ retained }: ProviderSnapshot): boolean {
    return this.#availability === "available" && retained === undefined;
  }

  #show(incoming: ProviderSnapshot, isGood: boolean): void {
    if (isGood) this.#blocks.refresh(incoming);
    const previous = this.#snapshot;
    const refusal = refusalOf(this.state)?.code;
    const snapshot = createSnapshot({ ...incoming, blockedNodes: this.#blocks.blocked });
    const delta = diffSnapshots(previous ?? NOTHING, snapshot);
    this.#snapshot = snapshot;
    if (previous === undefined || !isEmpty(delta)) {
      this.#snapshotSeqNo = this.#seqNo + 1;
      // Listeners of the snapshot already find the status that it leads to.
      this.#setStatus();
      this.#append({ kind: "snapshot", snapshot, previousHash: previous?.hash, delta });
      this.#announceStatus();
    } else {
      this.#setStatus();
      // Equal content, but a guard now keeps all of it, or no longer does: whether new work can be based on it has changed.
      this.#announceStatus(refusalOf(this.state)?.code !== refusal);
    }
  }

  #settleStatus(): void {
    this.#setStatus();
    this.#announceStatus();
  }

  #setStatus(): void {
    this.#status = toStatus({
      lifecycle: this.#lifecycle,
      lifecycleReason: this.#lifecycleReason,
      availability: this.#availability,
      availabilityReason: this.#availabilityReason,
      availabilityCause: this.#availabilityCause,
      snapshot: this.#snapshot,
      holds: this.#holds,
    });
  }

  #announceStatus(isRefusalChanged = false): void {
    // Not the status before: a listener may have drained the hub meanwhile, and that was announced.
    const from = this.#announcedStatus;
    const { status: to, reason, cause } = this.#status;
    // A degraded topology that becomes current is one that only a guard makes degraded: joins are possible again.
    const isStale = this.#availability !== "available";
    const isRenewed = to === "degraded" && (isStale !== this.#isAnnouncedStale || isRefusalChanged);
    if (from === to && !isRenewed) return;
    this.#announcedStatus = to;
    this.#isAnnouncedStale = isStale;
    const snapshotHash = this.#snapshot?.hash;
    this.#append({ kind: "status_changed", from, to, reason, ...(cause && { cause }), snapshotHash });
  }

  #append(draft: TopologyEventDraft): void {
    this.#seqNo++;
    const event: TopologyEvent = {
      ...draft,
      epoch: this.epoch,
      seqNo: this.#seqNo,
      at: this.#clock.now(),
    };
    if (event.kind === "stream_terminated") this.#keepTermination(event);
    this.#log.append(event);
    if (eventChannel.hasSubscribers) eventChannel.publish({ event });
    this.#outbox.push(event);
  }
}

function isEmpty({ added, updated, removed, blocked, unblocked }: SnapshotDelta): boolean {
  return added.length + updated.length + removed.length + blocked.length + unblocked.length === 0;
}

const NOTHING = { members: MemberSet.empty, blockedNodes: [] };

/** Providers whose last termination is kept: as many as a set may have. */
const MAX_TERMINATIONS = 1_000;
