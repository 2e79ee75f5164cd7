import {
  callIsolated,
  createSnapshot,
  createTypedEvents,
  diffSnapshots,
  followLog,
  MemberSet,
  OneAtATime,
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
  type ProviderSnapshot,
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
} from "@holdfast/core";
import { announce, NOTHING_ANNOUNCED, type Announced, type Announcement } from "./announcer.ts";
import { BlockList } from "./block-list.ts";
import { eventChannel } from "./diagnostics.ts";
import { createEpoch } from "./epoch.ts";
import { EventLog } from "./event-log.ts";
import { explainNode, type ExplainOptions, type NodeExplanation } from "./explain-node.ts";
import { StreamTerminations } from "./stream-terminations.ts";
import { toEventDraft, withHold } from "./to-event-draft.ts";
import { STARTING, toStatus, type Status } from "./to-status.ts";
import type { HubStartOptions, WatchHubOptions } from "./watch-hub-options.ts";

/**
 * Turns updates into one ordered log of events, and keeps the resulting state. The state is set before listeners are called. A listener
 * that throws does not affect the others.
 */
export class WatchHub implements TopologyReader, NodeBlocks, AsyncDisposable {
  readonly #options: WatchHubOptions;
  readonly #clock: Clock;
  /** The epoch before the start. No event was logged under it, so it stays valid for the same log. */
  readonly #firstEpoch: Epoch;
  #epoch: Epoch;
  readonly #events;
  readonly #log: EventLog;
  readonly #blocks = new BlockList();
  readonly #terminations = new StreamTerminations();
  readonly #stop = new AbortController();
  /** Delivers events. An event caused by a listener is delivered after all listeners have received the current one. */
  readonly #outbox = new OneAtATime<TopologyEvent>((event) => {
    if (eventChannel.hasSubscribers) eventChannel.publish({ event });
    this.#events.emit("event", event);
  });
  /** Processes updates. An update caused by a listener is processed after the current one is complete. */
  readonly #inbox = new OneAtATime<Update>((update) => this.#take(update));
  #announced: Announced = NOTHING_ANNOUNCED;
  #run: Promise<void> | undefined;
  #seqNo = 0;
  /** The last snapshot from the source. Its blocked nodes are those that a relay reports; nodes blocked here are not included. */
  #incoming: ProviderSnapshot | undefined;
  /** The snapshot in force. */
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
        new ProvisioningError("LIFECYCLE_CONSUMER_FAILED", "a listener of the topology threw an error", {
          cause,
        }),
      ),
    );
  }

  /**
   * Starts the watch. The first events may be emitted before it returns. A second call has no effect. Throws `LIFECYCLE_STOPPED` after a
   * drain or disposal.
   */
  start({ epoch }: HubStartOptions = {}): void {
    if (this.#lifecycle !== "running")
      throw new ProvisioningError("LIFECYCLE_STOPPED", "the hub was stopped");
    if (this.#run !== undefined) return;
    this.#epoch = epoch ?? this.#epoch;
    // Set before the source runs, because a listener of the first events may start or dispose of the hub.
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#run = promise;
    resolve(this.#watch());
  }

  /** Reports in the status why the watch has not been started yet. No event is logged before the start. No effect after it. */
  postpone(cause: ProvisioningError): void {
    if (this.#lifecycle !== "running" || this.#run !== undefined) return;
    const reason = toReason(cause);
    this.#status = { status: "starting", reason: `not started yet: ${reason.message}`, cause: reason };
  }

  /** The epoch of all events. It can change once, at the start of the hub, before the first event. */
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
   * Returns the first `limit` events after `seqNo`. Returns `undefined` for an epoch of another run, for a position that is no longer
   * kept, and for one that lies in the future.
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

  /** The last termination of each provider's stream, with the hash of its last snapshot; oldest first. */
  terminations(): readonly StreamTerminatedEvent[] {
    return this.#terminations.events;
  }

  /**
   * Explains why a node is a member, blocked, kept, or not a member: by which provider, when, at which `seqNo`, and by which rule.
   * Covers only events that are still in the log.
   */
  explain(nodeId: NodeId, options?: ExplainOptions): NodeExplanation {
    return explainNode(nodeId, this.state, this.#log.events, options);
  }

  block(nodeId: NodeId): boolean {
    const snapshot = this.#snapshot;
    if (this.#lifecycle !== "running" || snapshot === undefined) return false;
    // A late snapshot may lack a node that is still blocked. Blocking that node again must cancel its restoration.
    if (!snapshot.members.has(nodeId) && !this.#blocks.has(nodeId)) return false;
    if (!this.#blocks.block(nodeId)) return false;
    if (this.#availability !== "available") this.#warnOfStaleBlock(nodeId);
    this.#setSnapshot(this.#incoming ?? snapshot, false);
    return true;
  }

  /** The node may have left since then, or another node may have taken its id. */
  #warnOfStaleBlock(nodeId: NodeId): void {
    const { status, statusReason } = this.state;
    const message = `"${nodeId}" was blocked while the topology is ${status}: ${statusReason}`;
    this.#report(new ProvisioningError("TOPOLOGY_NOT_CURRENT", message, { details: { nodeId, status } }));
  }

  restore(nodeId: NodeId): boolean {
    return this.#lifecycle === "running" && this.#blocks.restore(nodeId);
  }

  /** Ends the watch and rejects new snapshots. The last snapshot stays readable for consumers that finish their work. */
  drain(reason: string): void {
    if (this.#lifecycle !== "running") return;
    this.#lifecycle = "draining";
    this.#lifecycleReason = reason;
    this.#updateStatus();
    this.#stop.abort();
  }

  /** Ends the watch, emits the status `stopped`, then removes all listeners. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#run;
    if (this.#lifecycle === "stopped") return;
    this.#lifecycle = "stopped";
    this.#lifecycleReason = "the hub was disposed of";
    this.#updateStatus();
    this.#events.clear();
  }

  /** Runs the source. If it ends or fails without an abort, the topology becomes unavailable. Never rejects. */
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
    this.#updateStatus();
  }

  #take(update: Update): void {
    const { announcements, after } = announce(this.#announced, update);
    this.#announced = after;
    let isRefreshed = false;
    for (const announcement of announcements) {
      // Checked for each announcement, because a listener may have drained the hub.
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
        return this.#setSnapshot(announcement.snapshot, isRefreshed);
      case "availability":
        this.#availability = announcement.availability;
        this.#availabilityReason = announcement.reason;
        this.#availabilityCause = announcement.cause;
        return this.#updateStatus();
      case "hold":
        this.#holds = withHold(this.#holds, announcement);
        this.#setStatus();
        return this.#append(toEventDraft(announcement, this.#snapshot));
      case "switch":
      case "health":
      case "stream_end":
        return this.#append(toEventDraft(announcement, this.#snapshot));
    }
  }

  #refuse(announcement: Announcement): void {
    if (announcement.type !== "content") return;
    const { providerId } = announcement.snapshot;
    this.#report(
      new ProvisioningError("LIFECYCLE_SHUTTING_DOWN", `a snapshot of "${providerId}" was rejected`, {
        details: { providerId, reason: this.#lifecycleReason },
      }),
    );
  }

  #report(error: ProvisioningError): void {
    callIsolated(() => this.#options.onError?.(error));
  }

  /** The backend has confirmed the snapshot in force: lifts the blocks of restored nodes. */
  #refresh(): void {
    const incoming = this.#incoming;
    if (incoming === undefined || !this.#isGood(incoming)) return;
    if (this.#blocks.refresh(incoming)) this.#setSnapshot(incoming, false);
  }

  /** Whether blocks may be lifted: the snapshot is current, and no guard keeps members that the active provider does not list. */
  #isGood({ retained }: ProviderSnapshot): boolean {
    return this.#availability === "available" && retained === undefined;
  }

  #setSnapshot(incoming: ProviderSnapshot, isGood: boolean): void {
    this.#incoming = incoming;
    if (isGood) this.#blocks.refresh(incoming);
    const previous = this.#snapshot;
    const refusal = refusalOf(this.state)?.code;
    const snapshot = createSnapshot({
      ...incoming,
      blockedNodes: [...incoming.blockedNodes, ...this.#blocks.blocked],
    });
    const delta = diffSnapshots(previous ?? EMPTY, snapshot);
    this.#snapshot = snapshot;
    if (previous === undefined || !isEmpty(delta)) {
      this.#snapshotSeqNo = this.#seqNo + 1;
      // Set before the event, so that its listeners already read the resulting status.
      this.#setStatus();
      this.#append({ kind: "snapshot", snapshot, previousHash: previous?.hash, delta });
      this.#announceStatus();
    } else {
      this.#setStatus();
      // The content is equal, but a guard has begun or ceased to keep all members. That decides whether new work may use the snapshot.
      this.#announceStatus(refusalOf(this.state)?.code !== refusal);
    }
  }

  #updateStatus(): void {
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
    // The last announced status, because a listener may have drained the hub since `#setStatus`.
    const from = this.#announcedStatus;
    const { status: to, reason, cause } = this.#status;
    // A topology can stay degraded because of a guard, or empty, while it becomes current or stale. Bridges and followers must learn that.
    const isStale = this.#availability !== "available";
    const isEitherPossible = to === "degraded" || to === "empty";
    const isRenewed = isEitherPossible && (isStale !== this.#isAnnouncedStale || isRefusalChanged);
    if (from === to && !isRenewed) return;
    this.#announcedStatus = to;
    this.#isAnnouncedStale = isStale;
    const snapshotHash = this.#snapshot?.hash;
    this.#append({
      kind: "status_changed",
      from,
      to,
      isStale: this.state.isStale,
      reason,
      ...(cause && { cause }),
      snapshotHash,
    });
  }

  #append(draft: TopologyEventDraft): void {
    this.#seqNo++;
    const event: TopologyEvent = {
      ...draft,
      epoch: this.epoch,
      seqNo: this.#seqNo,
      at: this.#clock.now(),
    };
    if (event.kind === "stream_terminated") this.#terminations.add(event);
    this.#log.append(event);
    this.#outbox.push(event);
  }
}

function isEmpty({ added, updated, removed, blocked, unblocked }: SnapshotDelta): boolean {
  return added.length + updated.length + removed.length + blocked.length + unblocked.length === 0;
}

const EMPTY = { members: MemberSet.empty, blockedNodes: [] };
