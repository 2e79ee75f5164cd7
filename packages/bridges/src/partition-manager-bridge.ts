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

/** Leases that Partition does not have yet. */
interface DueLeases {
  readonly leases: readonly Lease[];
  /** The tick they hold for. */
  readonly pending: PendingSnapshot;
  readonly published: PromiseWithResolvers<void>;
}

/** Keeps Partition at the newest snapshot and its leases, and answers for the newest snapshot at any time. */
export class PartitionManagerBridge {
  readonly #source: TopologySource;
  readonly #port: PartitionPort;
  readonly #lane: Lane;
  readonly #clock: Clock;
  /** @internal */
  readonly worker: PortWorker;
  #acknowledged: PendingSnapshot | undefined;
  #due: DueLeases | undefined;

  /** Made, and driven, by an `OwnershipLane`. */
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
        // Leases of a tick that Partition does not have yet, or has left behind, wait for the tick that both have.
        return due !== undefined && due.pending.seqNo === this.#acknowledged?.seqNo
          ? (context) => this.#publish(due, context)
          : undefined;
      },
    });
  }

  /** What the port acknowledged last; kept through failures and after the end. */
  get lastSnapshot(): ProviderSnapshot | undefined {
    return this.#acknowledged?.snapshot;
  }

  /**
   * The newest snapshot, whether the port has it yet or not; a degraded topology gives the one it holds. Throws
   * `TOPOLOGY_NO_SNAPSHOT`, `TOPOLOGY_EMPTY`, `TOPOLOGY_UNAVAILABLE`, `LIFECYCLE_SHUTTING_DOWN` or `LIFECYCLE_STOPPED`.
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

  /** @internal Placement has changed ownership: these leases take the place of those that wait. */
  offer(leases: readonly Lease[], pending: PendingSnapshot): Promise<void> {
    const published = Promise.withResolvers<void>();
    // Most often no caller waits for it.
    published.promise.catch(() => undefined);
    this.#due?.published.reject(toStale(this.#due.pending.seqNo, pending.seqNo));
    this.#due = { leases, pending, published };
    this.worker.poke();
    return published.promise;
  }

  /** @internal Placement has acknowledged a tick and left ownership as it was: what waits holds for that tick. */
  confirm(pending: PendingSnapshot): void {
    if (this.#due === undefined) return;
    this.#due = { ...this.#due, pending };
    this.worker.poke();
  }

  /** @internal Waits until leases are published, within the deadline of a call. */
  async awaitPublished(published: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const { timeoutMs } = this.worker.caller.policy;
    using deadline = createDeadline({
      clock: this.#clock,
      afterMs: timeoutMs,
      signal,
      error: () =>
        new ProvisioningError(
          "LIFECYCLE_CONSUMER_BEHIND",
          `partition has not taken the leases within ${timeoutMs} ms; they are published once it works again`,
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

/** Leases are not newer than what has been published or handed over. */
export function toStale(received: number, last: number): ProvisioningError {
  const message =
    received === last
      ? `leases of tick ${received} were replaced by later ones of the same tick`
      : `leases of tick ${received} are not of the tick in force, ${last}`;
  return new ProvisioningError("ORDER_STALE_SEQUENCE", message, { details: { received, last } });
}
