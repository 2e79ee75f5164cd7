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
  waitForState,
  waitUntilReady,
  type Availability,
  type Clock,
  type ClusterProvider,
  type Epoch,
  type EventsOptions,
  type GuardHold,
  type NodeBlocks,
  type NodeId,
  type ProviderEvent,
  type ProviderId,
  type ProviderSnapshot,
  type Random,
  type ReadOptions,
  type Reason,
  type StreamTerminatedEvent,
  type TopologyEvent,
  type TopologyEventDraft,
  type TopologyReader,
  type TopologyState,
  type TopologyStatus,
} from "@holdfast/core";
import { BlockList } from "./block-list.ts";
import { createEpoch } from "./epoch.ts";
import { EventLog } from "./event-log.ts";
import { explainNode, type ExplainOptions, type NodeExplanation } from "./explain-node.ts";
import { watchToItsEnd } from "./watch-to-its-end.ts";

export interface WatchHubOptions {
  /** Most often a `FailoverProvider`. A plain provider is not kept alive: once its watch is over the hub is unavailable. */
  readonly provider: ClusterProvider;
  readonly clock: Clock;
  readonly random: Random;
  /** Names this run; must sort after the epochs of earlier runs. @defaultValue made of `clock` and `random` */
  readonly epoch?: Epoch | undefined;
  /** How many events `eventsSince` can go back. @defaultValue 1000 */
  readonly retainedEvents?: number | undefined;
  /** How many nodes' worth of memory those events may hold besides the newest snapshot. @defaultValue 100000 */
  readonly retainedChanges?: number | undefined;
  /**
   * Receives what a listener threw, snapshots refused while draining, and `TOPOLOGY_NOT_CURRENT` for a node that was blocked
   * while the topology was not current. What it throws is ignored. @defaultValue ignored
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
 * Puts what a provider says into one ordered log and keeps what it has led to. The state is set before anybody is told,
 * and a listener that throws hurts nobody else.
 */
export class WatchHub implements TopologyReader, NodeBlocks, AsyncDisposable {
  readonly #options: WatchHubOptions;
  /** Until the start; nothing was in the log then, so both epochs name the same log. */
  readonly #firstEpoch: Epoch;
  #epoch: Epoch;
  readonly #events;
  readonly #log: EventLog;
  readonly #blocks = new BlockList();
  readonly #terminations = new Map<ProviderId, StreamTerminatedEvent>();
  readonly #stop = new AbortController();
  readonly #outbox: TopologyEvent[] = [];
  #isDelivering = false;
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
  #status: TopologyStatus = "starting";
  #toldStatus: TopologyStatus = "starting";
  #toldStale = false;
  #statusReason = NOTHING_YET;
  #statusCause: Reason | undefined;

  constructor(options: WatchHubOptions) {
    this.#options = options;
    this.#epoch = this.#firstEpoch = options.epoch ?? createClockEpoch(options);
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

  /** Begins to watch. A second call does nothing; after a drain or disposal it throws `LIFECYCLE_STOPPED`. */
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
      status: this.#status,
      statusReason: this.#statusReason,
      statusCause: this.#statusCause,
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

  /** How each provider's stream ended last, with the hash of what it brought last. */
  terminations(): readonly StreamTerminatedEvent[] {
    return [...this.#terminations.values()];
  }

  /**
   * Why a node is in, out, held or blocked: which provider says so, when, at which `seqNo`, by which rule. Goes back as far as
   * the log is kept.
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
    this.#take(snapshot);
    return true;
  }

  /** The node may be another one by now, or gone. */
  #warnOfStaleBlock(nodeId: NodeId): void {
    const { status, statusReason } = this.state;
    const message = `"${nodeId}" was blocked while the topology is ${status}: ${statusReason}`;
    this.#report(new ProvisioningError("TOPOLOGY_NOT_CURRENT", message, { details: { nodeId, status } }));
  }

  restore(nodeId: NodeId): boolean {
    return this.#lifecycle === "running" && this.#blocks.restore(nodeId);
  }

  /** From now on new snapshots are refused; the last one stays for those who drain. */
  drain(reason: string): void {
    if (this.#lifecycle !== "running") return;
    this.#lifecycle = "draining";
    this.#lifecycleReason = reason;
    this.#settleStatus();
    this.#stop.abort();
  }

  /** Ends the watch and tells `stopped`; then every listener is let go. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#run;
    if (this.#lifecycle === "stopped") return;
    this.#lifecycle = "stopped";
    this.#lifecycleReason = "everything has stopped";
    this.#settleStatus();
    this.#events.clear();
  }

  async #watch(): Promise<void> {
    const { provider } = this.#options;
    const { signal } = this.#stop;
    const onFailure = (failure: ProvisioningError) => this.#report(failure);
    for await (const event of watchToItsEnd({ provider, signal, onFailure })) this.#on(event);
  }

  #on(event: ProviderEvent): void {
    if (this.#lifecycle !== "running") return this.#refuse(event);
    switch (event.type) {
      case "snapshot":
        return this.#take(event.snapshot, event.isRepeat !== true && this.#isGood(event.snapshot));
      case "heartbeat":
        return this.#refresh();
      case "availability_changed":
        this.#availability = event.availability;
        this.#availabilityReason = event.reason;
        this.#availabilityCause = event.cause;
        return this.#settleStatus();
      case "provider_changed": {
        const { from, to, reason, cause } = event;
        const snapshotHash = this.#snapshot?.hash;
        return this.#append({
          kind: "provider_changed",
          from,
          to,
          reason,
          ...(cause && { cause }),
          snapshotHash,
        });
      }
      case "guard_changed": {
        const { isHolding, hold } = event;
        const others = this.#holds.filter(
          ({ guard, providerId }) => guard !== hold.guard || providerId !== hold.providerId,
        );
        this.#holds = isHolding ? [...others, hold] : others;
        this.#setStatus();
        return this.#append({ kind: "guard_changed", isHolding, ...hold });
      }
      case "health_changed": {
        const { providerId, from, to, reason } = event;
        return this.#append({ kind: "health_changed", providerId, from, to, reason });
      }
      case "terminated": {
        const providerId = event.providerId ?? this.#options.provider.descriptor.id;
        const isOurs = event.providerId === undefined || event.providerId === this.#snapshot?.providerId;
        const snapshotHash = isOurs ? this.#snapshot?.hash : event.snapshotHash;
        return this.#append({ kind: "stream_terminated", providerId, reason: event.reason, snapshotHash });
      }
    }
  }

  #refuse(event: ProviderEvent): void {
    if (event.type !== "snapshot") return;
    const { providerId } = event.snapshot;
    this.#report(
      new ProvisioningError("LIFECYCLE_SHUTTING_DOWN", `a snapshot of "${providerId}" was refused`, {
        details: { providerId, reason: this.#lifecycleReason },
      }),
    );
  }

  /** Ids that reloads brought and removed are forgotten, oldest first. */
  #keepTermination(event: StreamTerminatedEvent): void {
    this.#terminations.delete(event.providerId);
    this.#terminations.set(event.providerId, event);
    const [oldest] = this.#terminations.keys();
    if (this.#terminations.size > MAX_TERMINATIONS && oldest !== undefined) this.#terminations.delete(oldest);
  }

  #report(error: ProvisioningError): void {
    callIsolated(() => this.#options.onError?.(error));
  }

  /** The backend has confirmed what we have: the blocks of restored nodes may go. */
  #refresh(): void {
    if (this.#snapshot === undefined || !this.#isGood(this.#snapshot)) return;
    if (this.#blocks.refresh(this.#snapshot)) this.#take(this.#snapshot);
  }

  /** Current, and no guard keeps members that the active provider does not list: blocks may be lifted. */
  #isGood({ retained }: ProviderSnapshot): boolean {
    return this.#availability === "available" && retained === undefined;
  }

  #take(incoming: ProviderSnapshot, isGood = false): void {
    if (isGood) this.#blocks.refresh(incoming);
    const previous = this.#snapshot;
    const refusal = refusalOf(this.state)?.code;
    const snapshot = createSnapshot({ ...incoming, blockedNodes: this.#blocks.blocked });
    this.#snapshot = snapshot;
    if (snapshot.hash !== previous?.hash) {
      this.#snapshotSeqNo = this.#seqNo + 1;
      // The status the snapshot leads to holds before anybody is told of it.
      this.#setStatus();
      const delta = diffSnapshots(previous ?? NOTHING, snapshot);
      this.#append({ kind: "snapshot", snapshot, previousHash: previous?.hash, delta });
      this.#tellStatus();
    } else {
      this.#setStatus();
      // Equal content, but a guard keeps all of it now, or does so no longer: whether new work can be based on it has changed.
      this.#tellStatus(refusalOf(this.state)?.code !== refusal);
    }
  }

  #settleStatus(): void {
    this.#setStatus();
    this.#tellStatus();
  }

  #setStatus(): void {
    [this.#status, this.#statusReason, this.#statusCause] = this.#nextStatus();
  }

  #tellStatus(isRefusalChanged = false): void {
    // Not what it was before: a listener may have drained us meanwhile, and that was told.
    const from = this.#toldStatus;
    const to = this.#status;
    // A degraded topology that becomes current is one that only a guard makes degraded: joins are possible again.
    const isStale = this.#availability !== "available";
    const isRenewed = to === "degraded" && (isStale !== this.#toldStale || isRefusalChanged);
    if (from === to && !isRenewed) return;
    this.#toldStatus = to;
    this.#toldStale = isStale;
    const snapshotHash = this.#snapshot?.hash;
    const cause = this.#statusCause;
    const reason = this.#statusReason;
    this.#append({ kind: "status_changed", from, to, reason, ...(cause && { cause }), snapshotHash });
  }

  #nextStatus(): readonly [TopologyStatus, string, (Reason | undefined)?] {
    const snapshot = this.#snapshot;
    const reason = this.#availabilityReason;
    const cause = this.#availabilityCause;
    if (this.#lifecycle !== "running") return [this.#lifecycle, this.#lifecycleReason];
    if (this.#availability === "unavailable") return ["unavailable", reason, cause];
    if (snapshot === undefined) {
      return [
        "starting",
        this.#availability === "degraded" ? `${NOTHING_YET}: ${reason}` : NOTHING_YET,
        cause,
      ];
    }
    if (snapshot.members.size === 0) return ["empty", `"${snapshot.providerId}" reports no members`];
    if (this.#availability === "degraded") return ["degraded", reason, cause];
    if (snapshot.retained !== undefined) return ["degraded", describeRetained(snapshot, this.#holds)];
    return ["ready", `"${snapshot.providerId}" is current`];
  }

  #append(draft: TopologyEventDraft): void {
    this.#seqNo++;
    const event: TopologyEvent = {
      ...draft,
      epoch: this.epoch,
      seqNo: this.#seqNo,
      at: this.#options.clock.now(),
    };
    if (event.kind === "stream_terminated") this.#keepTermination(event);
    this.#log.append(event);
    this.#outbox.push(event);
    this.#deliver();
  }

  /** One event at a time: a listener that blocks a node makes a new event, which waits until all have this one. */
  #deliver(): void {
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let event = this.#outbox.shift(); event !== undefined; event = this.#outbox.shift()) {
      this.#events.emit("event", event);
    }
    this.#isDelivering = false;
  }
}

function describeRetained(
  { providerId, members, retained = [] }: ProviderSnapshot,
  holds: readonly GuardHold[],
): string {
  const reasons = holds.filter(({ guard }) => guard !== "last_known_good").map(({ reason }) => reason);
  const reason = reasons.join("; ") || "a guard keeps them";
  if (retained.length === members.size) return `"${providerId}" reports no members: ${reason}`;
  return `${retained.length} of the ${members.size} members are not listed by "${providerId}": ${reason}`;
}

const NOTHING_YET = "nothing has arrived yet";
const NOTHING = { members: MemberSet.empty, blockedNodes: [] };

/** Providers whose last termination is kept: as many as a set may have. */
const MAX_TERMINATIONS = 1_000;

function createClockEpoch({ clock, random }: WatchHubOptions): Epoch {
  return createEpoch(Math.max(0, Math.floor(clock.now())), random);
}
