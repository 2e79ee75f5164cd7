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

/** What ownership is based on. */
export interface Admission {
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
}

export interface AdmitOptions {
  readonly signal?: AbortSignal | undefined;
}

export interface PublishLeasesOptions {
  /** The tick the leases were computed with. @defaultValue the one Placement was handed last */
  readonly seqNo?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What the bridge needs of its lane. */
export interface PlacementSurroundings {
  readonly source: TopologySource;
  readonly lane: Lane;
  readonly clock: Clock;
  readonly admitTimeoutMs: number;
  /** Placement acknowledged a tick, with new leases or leaving ownership as it was. */
  readonly onApplied: (pending: PendingSnapshot, leases: readonly Lease[] | void) => void;
  /** Puts leases of the tick into the order of the lane; resolves when Partition has them. */
  readonly publish: (
    leases: readonly Lease[],
    seqNo: number,
    signal: AbortSignal | undefined,
  ) => Promise<void>;
}

interface Waiting extends PromiseWithResolvers<Admission> {
  readonly seqNo: number;
}

/** Keeps Placement at the newest snapshot, holds requests back until it is, and takes its leases. */
export class PlacementSupervisorBridge {
  readonly #port: PlacementPort;
  readonly #around: PlacementSurroundings;
  readonly #waiting = new Set<Waiting>();
  /** @internal */
  readonly worker: PortWorker;
  #acknowledged: PendingSnapshot | undefined;
  /** Acknowledged, or being applied. */
  #handed: PendingSnapshot | undefined;

  /** Made, and driven, by an `OwnershipLane`. */
  constructor(port: PlacementPort, around: PlacementSurroundings) {
    this.#port = port;
    this.#around = around;
    this.worker = around.lane.createWorker("placement", {
      applySnapshot: (pending, context) => this.#applySnapshot(pending, context),
      notify: (notice, context) => this.#notify(notice, context),
    });
  }

  /** What the port acknowledged last; kept through failures and after the end. */
  get lastSnapshot(): ProviderSnapshot | undefined {
    return this.#acknowledged?.snapshot;
  }

  /**
   * To be awaited before serving a placement request. Resolves once ownership was computed from a snapshot at least as
   * new as the newest one at the time of the call; a degraded topology is admitted. Rejects, also while waiting, with
   * `TOPOLOGY_NO_SNAPSHOT`, `TOPOLOGY_EMPTY`, `TOPOLOGY_UNAVAILABLE`, `LIFECYCLE_SHUTTING_DOWN` or `LIFECYCLE_STOPPED`,
   * with `LIFECYCLE_CONSUMER_BEHIND` when Placement has not got there within `admitTimeoutMs`, or as the signal aborts.
   */
  async admit({ signal }: AdmitOptions = {}): Promise<Admission> {
    throwIfAborted(signal);
    const { source, clock, admitTimeoutMs } = this.#around;
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
   * Publishes leases to Partition outside `applySnapshot`: a rebalance, a renewal, an answer to a notice. They replace all
   * earlier ones, and take their place in the order of the lane: after the tick they were computed with, before any later one.
   * Resolves when Partition has them.
   *
   * Rejects with `ORDER_STALE_SEQUENCE` (`details` `{ received, last }`) when a later tick has been handed to Partition or
   * Placement, or when later leases replace these before they are published; with `TOPOLOGY_NO_SNAPSHOT` before the first
   * tick; with `VALIDATION_MALFORMED` for a tick that was never handed over; with `LIFECYCLE_CONSUMER_BEHIND` when Partition has
   * not taken them within the deadline of a call (they are still published once it works again); with `LIFECYCLE_STOPPED`; or
   * as the signal aborts. Without a Partition port it only checks.
   */
  async publishLeases(
    leases: readonly Lease[],
    { seqNo = this.#handed?.seqNo, signal }: PublishLeasesOptions = {},
  ): Promise<void> {
    throwIfAborted(signal);
    const { lane, publish } = this.#around;
    // While draining, Placement may still have ownership to hand over.
    if (lane.refusal?.code === "LIFECYCLE_STOPPED") throw lane.refusal;
    if (seqNo === undefined) {
      throw new ProvisioningError("TOPOLOGY_NO_SNAPSHOT", "Placement was not handed a snapshot yet");
    }
    await publish(leases, seqNo, signal);
  }

  /** Settles the waiting requests that can be. */
  reconsider(): void {
    if (this.#waiting.size === 0) return;
    const { lane, source } = this.#around;
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
      this.#around.onApplied(pending, outcome.value);
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
    const { admitTimeoutMs } = this.#around;
    const at = this.#acknowledged?.seqNo ?? 0;
    return new ProvisioningError(
      "LIFECYCLE_CONSUMER_BEHIND",
      `placement has not reached tick ${seqNo} within ${admitTimeoutMs} ms; it is at ${at}`,
      { details: { port: "placement", seqNo, acknowledged: at, admitTimeoutMs } },
    );
  }
}
