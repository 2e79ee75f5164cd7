import {
  createDeadline,
  ProvisioningError,
  refusalOf,
  untilAborted,
  type Clock,
  type ProviderSnapshot,
  type TopologyNotice,
  type TopologySource,
  type PartitionPort,
  type Lease,
} from "@holdfast/core";
import type { Lane } from "./lane.ts";
import type { PortWorker, TaskContext } from "./port-worker.ts";
import { createSnapshotTick, type PendingSnapshot } from "./snapshot-tick.ts";

/** Leases that Partition has not acknowledged yet. */
interface DueLeases {
  readonly leases: readonly Lease[];
  /** The tick that the leases belong to. */
  readonly pending: PendingSnapshot;
  readonly published: PromiseWithResolvers<void>;
}

/** Brings Partition to the newest snapshot and its leases, and returns the newest snapshot at any time. */
export class PartitionManagerBridge {
  readonly #source: TopologySource;
  readonly #port: PartitionPort;
  readonly #lane: Lane;
  readonly #clock: Clock;
  /** @internal */
  readonly worker: PortWorker;
  #acknowledged: PendingSnapshot | undefined;
  #due: DueLeases | undefined;

  /** Created and called by an `OwnershipLane`. */
  constructor(source: TopologySource, port: PartitionPort, lane: Lane, clock: Clock) {
    this.#source = source;
    this.#port = port;
    this.#lane = lane;
    this.#clock = clock;
    this.worker = lane.createWorker("partition", {
      applySnapshot: (pending, context) => this.#applySnapshot(pending, context),
      notify: (notice, context) => this.#notify(notice, context),
      more: () => {
        const due = this.#due;
        // Leases of a tick that Partition has not acknowledged, or that is older than its last one, wait for a tick
        // that both ports have.
        return due !== undefined && due.pending.seqNo === this.#acknowledged?.seqNo
          ? (context) => this.#publish(due, context)
          : undefined;
      },
    });
  }

  /** The snapshot that the port acknowledged last. It is kept through failures and after the end. */
  get lastSnapshot(): ProviderSnapshot | undefined {
    return this.#acknowledged?.snapshot;
  }

  /**
   * Returns the newest snapshot, whether the port has it yet or not. While the topology is degraded, that is its last
   * snapshot. Throws `TOPOLOGY_NO_SNAPSHOT`, `TOPOLOGY_EMPTY`, `TOPOLOGY_UNAVAILABLE`, `LIFECYCLE_SHUTTING_DOWN` or
   * `LIFECYCLE_STOPPED`.
   */
  newest(): ProviderSnapshot {
    const { state } = this.#source;
    const refusal = this.#lane.refusal ?? refusalOf(state);
    if (refusal !== undefined) throw refusal;
    if (state.snapshot === undefined)
      throw new ProvisioningError("TOPOLOGY_NO_SNAPSHOT", "no snapshot has arrived yet");
    return state.snapshot;
  }

  /** @internal */
  has({ seqNo }: PendingSnapshot): boolean {
    return this.#acknowledged?.seqNo === seqNo;
  }

  /** @internal Replaces the waiting leases after Placement has changed ownership. */
  offer(leases: readonly Lease[], pending: PendingSnapshot): Promise<void> {
    const published = Promise.withResolvers<void>();
    // Usually no caller waits for this promise.
    published.promise.catch(() => undefined);
    this.#due?.published.reject(toStale(this.#due.pending.seqNo, pending.seqNo));
    this.#due = { leases, pending, published };
    this.worker.wake();
    return published.promise;
  }

  /**
   * @internal Placement has acknowledged a tick without changing ownership, so the waiting leases are valid for that
   * tick.
   */
  confirm(pending: PendingSnapshot): void {
    if (this.#due === undefined) return;
    this.#due = { ...this.#due, pending };
    this.worker.wake();
  }

  /** @internal Waits until the leases are published, at most for the deadline of a call. */
  async awaitPublished(published: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const { timeoutMs } = this.worker.caller.policy;
    using deadline = createDeadline({
      clock: this.#clock,
      afterMs: timeoutMs,
      signal,
      error: () =>
        new ProvisioningError(
          "LIFECYCLE_CONSUMER_BEHIND",
          `partition did not accept the leases within ${timeoutMs} ms; they will be published once it works again`,
          { details: { port: "partition", timeoutMs } },
        ),
    });
    await untilAborted(published, deadline.signal);
  }

  /** @internal */
  refuseWaiting(refusal: ProvisioningError): void {
    this.#due?.published.reject(refusal);
  }

  async #applySnapshot(pending: PendingSnapshot, { tries, isOutdated }: TaskContext) {
    const tick = createSnapshotTick(pending, this.#acknowledged?.snapshot);
    const { kind } = await this.worker.caller.call({
      call: "applySnapshot",
      seqNo: pending.seqNo,
      run: (options) => this.#port.applySnapshot(tick, options),
      tries,
      isOutdated,
    });
    if (kind === "done") this.#acknowledged = pending;
    return kind;
  }

  async #publish(due: DueLeases, { tries }: TaskContext) {
    const { epoch, seqNo, snapshot } = due.pending;
    const leases = { epoch, seqNo, snapshotHash: snapshot.hash, leases: due.leases };
    const { kind } = await this.worker.caller.call({
      call: "publishLeases",
      seqNo,
      run: (options) => this.#port.publishLeases(leases, options),
      tries,
      isOutdated: () => this.#due !== due,
    });
    if (kind !== "done") return kind;
    due.published.resolve();
    if (this.#due === due) this.#due = undefined;
    return kind;
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
}

/** The error for leases that were replaced or that belong to an older tick. */
export function toStale(received: number, last: number): ProvisioningError {
  const message =
    received === last
      ? `leases of tick ${received} were replaced by later ones of the same tick`
      : `leases of tick ${received} are outdated: the current tick is ${last}`;
  return new ProvisioningError("ORDER_STALE_SEQUENCE", message, { details: { received, last } });
}
