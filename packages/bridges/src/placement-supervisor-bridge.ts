import {
  createDeadline,
  ProvisioningError,
  refusalOf,
  throwIfAborted,
  untilAborted,
  type Clock,
  type ProviderSnapshot,
  type SnapshotHash,
  type TopologyNotice,
  type TopologySource,
  type Lease,
  type PlacementPort,
} from "@holdfast/core";
import type { Lane } from "./lane.ts";
import type { PortWorker, TaskContext } from "./port-worker.ts";
import { createSnapshotTick, type PendingSnapshot } from "./snapshot-tick.ts";

/** Identifies the snapshot that ownership was computed from. */
export interface Admission {
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
}

export interface AdmitOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PublishLeasesOptions {
  /** The tick the leases were computed with. @defaultValue the last tick that Placement received */
  readonly seqNo?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the bridge needs from its lane. */
export interface PlacementContext {
  readonly source: TopologySource;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly admitTimeoutMs: number;
  /** Called when Placement has acknowledged a tick, with new leases or without a change of ownership. */
  readonly onApplied: (pending: PendingSnapshot, leases: readonly Lease[] | void) => void;
  /** Inserts leases of the tick into the order of the lane; resolves when Partition has acknowledged them. */
  readonly publish: (
    leases: readonly Lease[],
    seqNo: number,
    signal: AbortSignal | undefined,
  ) => Promise<void>;
}

interface Waiting extends PromiseWithResolvers<Admission> {
  readonly seqNo: number;
}

/** Brings Placement to the newest snapshot, lets placement requests wait for that, and accepts its leases. */
export class PlacementSupervisorBridge {
  readonly #port: PlacementPort;
  readonly #context: PlacementContext;
  readonly #waiting = new Set<Waiting>();
  /** @internal */
  readonly worker: PortWorker;
  #acknowledged: PendingSnapshot | undefined;
  /** The last snapshot that Placement received: acknowledged, or still being applied. */
  #handed: PendingSnapshot | undefined;

  /** Created and called by an `OwnershipLane`. */
  constructor(port: PlacementPort, context: PlacementContext) {
    this.#port = port;
    this.#context = context;
    this.worker = context.lane.createWorker("placement", {
      applySnapshot: (pending, task) => this.#applySnapshot(pending, task),
      notify: (notice, task) => this.#notify(notice, task),
    });
  }

  /** The snapshot that the port acknowledged last. It is kept through failures and after the end. */
  get lastSnapshot(): ProviderSnapshot | undefined {
    return this.#acknowledged?.snapshot;
  }

  /**
   * Await this before serving a placement request. Resolves once ownership was computed from a snapshot at least as new
   * as the newest one at the time of the call; a degraded topology is admitted. Rejects, also while waiting, with
   * `TOPOLOGY_NO_SNAPSHOT`, `TOPOLOGY_EMPTY`, `TOPOLOGY_UNAVAILABLE`, `LIFECYCLE_SHUTTING_DOWN` or `LIFECYCLE_STOPPED`,
   * with `LIFECYCLE_CONSUMER_BEHIND` when Placement has not reached that snapshot within `admitTimeoutMs`, or with the
   * reason of the signal.
   */
  async admit({ signal }: AdmitOptions = {}): Promise<Admission> {
    throwIfAborted(signal);
    const { source, clock, admitTimeoutMs } = this.#context;
    const waiting: Waiting = {
      seqNo: source.state.snapshotSeqNo,
      ...Promise.withResolvers<Admission>(),
    };
    this.#waiting.add(waiting);
    this.reconsider();
    using deadline = createDeadline({
      clock,
      afterMs: admitTimeoutMs,
      signal,
      error: () => this.#toBehind(waiting.seqNo),
    });
    try {
      return await untilAborted(waiting.promise, deadline.signal);
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  /**
   * Publishes leases to Partition outside `applySnapshot`, for example for a rebalance, a renewal or a notice. They
   * replace all earlier leases. In the order of the lane they come after the tick they were computed with and before
   * any later one. Resolves when Partition has acknowledged them.
   *
   * Rejects with `ORDER_STALE_SEQUENCE` (`details` `{ received, last }`) when a later tick has been passed to Partition
   * or Placement, or when later leases replace these before they are published; with `TOPOLOGY_NO_SNAPSHOT` before the
   * first tick; with `VALIDATION_MALFORMED` for a tick that Placement never received; with `LIFECYCLE_CONSUMER_BEHIND`
   * when Partition does not accept them within the deadline of a call (they are still published once it works again);
   * with `LIFECYCLE_STOPPED`; or with the reason of the signal. Without a Partition port it only checks the arguments.
   */
  async publishLeases(
    leases: readonly Lease[],
    { seqNo = this.#handed?.seqNo, signal }: PublishLeasesOptions = {},
  ): Promise<void> {
    throwIfAborted(signal);
    const { lane, publish } = this.#context;
    // While the lane is draining, Placement may still publish leases.
    if (lane.refusal?.code === "LIFECYCLE_STOPPED") throw lane.refusal;
    if (seqNo === undefined) {
      throw new ProvisioningError("TOPOLOGY_NO_SNAPSHOT", "Placement has not received a snapshot yet");
    }
    await publish(leases, seqNo, signal);
  }

  /** Settles the waiting requests that can be settled now. */
  reconsider(): void {
    if (this.#waiting.size === 0) return;
    const { lane, source } = this.#context;
    const refusal = lane.refusal ?? refusalOf(source.state);
    const acknowledged = this.#acknowledged;
    for (const waiting of this.#waiting) {
      if (refusal !== undefined) {
        waiting.reject(refusal);
      } else if (acknowledged !== undefined && acknowledged.seqNo >= waiting.seqNo) {
        waiting.resolve({ seqNo: acknowledged.seqNo, snapshotHash: acknowledged.snapshot.hash });
      }
    }
  }

  async #applySnapshot(pending: PendingSnapshot, { tries, isOutdated }: TaskContext) {
    const tick = createSnapshotTick(pending, this.#acknowledged?.snapshot);
    this.#handed = pending;
    const outcome = await this.worker.caller.call({
      call: "applySnapshot",
      seqNo: pending.seqNo,
      run: (options) => this.#port.applySnapshot(tick, options),
      tries,
      isOutdated,
    });
    if (outcome.kind === "done") {
      this.#acknowledged = pending;
      this.#context.onApplied(pending, outcome.value);
      this.reconsider();
    }
    return outcome.kind;
  }

  async #notify(notice: TopologyNotice, { tries }: TaskContext) {
    const { kind } = await this.worker.caller.call({
      call: "notify",
      seqNo: notice.seqNo,
      run: (options) => this.#port.notify(notice, options),
      tries,
    });
    return kind;
  }

  #toBehind(seqNo: number): ProvisioningError {
    const { admitTimeoutMs } = this.#context;
    const at = this.#acknowledged?.seqNo ?? 0;
    return new ProvisioningError(
      "LIFECYCLE_CONSUMER_BEHIND",
      `placement did not reach tick ${seqNo} within ${admitTimeoutMs} ms; its last tick is ${at}`,
      { details: { port: "placement", seqNo, acknowledged: at, admitTimeoutMs } },
    );
  }
}
