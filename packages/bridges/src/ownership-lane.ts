import {
  ProvisioningError,
  type PortReport,
  type TopologyNotice,
  type PartitionPort,
  type Lease,
  type PlacementPort,
} from "@holdfast/core";
import type { BridgeOptions, DrainOptions, DrainReport } from "./bridge-options.ts";
import { Lane } from "./lane.ts";
import { PartitionManagerBridge, toStale } from "./partition-manager-bridge.ts";
import { PlacementSupervisorBridge } from "./placement-supervisor-bridge.ts";
import { toPortPolicy } from "./port-policy.ts";
import type { PendingSnapshot } from "./snapshot-tick.ts";

export interface OwnershipLaneOptions extends BridgeOptions {
  readonly placement?: PlacementPort | undefined;
  readonly partition?: PartitionPort | undefined;
  /**
   * How long `admit()` waits for Placement, in milliseconds. @defaultValue three times the deadline of a call (30000)
   */
  readonly admitTimeoutMs?: number | undefined;
}

/**
 * The lane that Placement and Partition share. For each tick, the snapshot goes to Partition, then to Placement, then
 * Placement's leases go to Partition. All have the same `seqNo`, and neither port receives anything later before that.
 * Notices go to Partition, then to Placement, in the order of the log.
 *
 * One port waits for the other for at most the deadline of a call. A port that has not finished by then is behind: the
 * other one continues, and does not wait for it until it has caught up with the newest snapshot. In the meantime
 * Placement's leases are kept. They are published at the first tick that both ports have acknowledged.
 */
export class OwnershipLane implements AsyncDisposable {
  readonly placement: PlacementSupervisorBridge | undefined;
  readonly partition: PartitionManagerBridge | undefined;
  readonly #lane: Lane;
  /** The last tick that was passed to a port. */
  #tick: PendingSnapshot | undefined;

  /** Starts with the current state of the source. */
  constructor(options: OwnershipLaneOptions) {
    const { source, clock, placement, partition } = options;
    const { admitTimeoutMs = 3 * toPortPolicy(options.calls).timeoutMs } = options;
    this.#lane = new Lane("ownership", options, {
      applySnapshot: (pending) => this.#applySnapshot(pending),
      notify: (notice) => this.#notify(notice),
      onChange: () => this.#onChange(),
    });
    const lane = this.#lane;
    this.partition = partition && new PartitionManagerBridge(source, partition, lane, clock);
    this.placement =
      placement &&
      new PlacementSupervisorBridge(placement, {
        source,
        lane,
        clock,
        admitTimeoutMs,
        onApplied: (pending, leases) => this.#onApplied(pending, leases),
        publish: (leases, seqNo, signal) => this.#publish(leases, seqNo, signal),
      });
  }

  /** One report for each port: its last tick, failures, and waiting and parked notices. */
  get ports(): readonly PortReport[] {
    return this.#lane.ports;
  }

  /**
   * Refuses new snapshots and admissions from now on; the `lastSnapshot` of each bridge is kept. Resolves when
   * everything that was waiting has been delivered or given up. When the signal aborts first, calls in progress are
   * abandoned and the result names what was left.
   */
  drain(options: DrainOptions): Promise<DrainReport> {
    return this.#lane.drain(options);
  }

  /** Stops at once. Requests that wait for admission are rejected with `LIFECYCLE_STOPPED`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lane[Symbol.asyncDispose]();
  }

  async #applySnapshot(pending: PendingSnapshot): Promise<void> {
    const { partition, placement } = this;
    // Leases that Placement has published since the last tick are delivered before this tick.
    await partition?.worker.handled();
    this.#tick = pending;
    if (partition !== undefined) {
      partition.worker.takeSnapshot(pending);
      await partition.worker.handled();
      // The snapshot was overtaken, so Placement skips it too.
      if (!partition.worker.isBehind && !partition.has(pending)) return;
    }
    placement?.worker.takeSnapshot(pending);
    await placement?.worker.handled();
    // The leases of this tick reach Partition before either port receives anything later.
    await partition?.worker.handled();
  }

  async #notify(notice: TopologyNotice): Promise<void> {
    for (const bridge of [this.partition, this.placement]) {
      bridge?.worker.takeNotice(notice);
      await bridge?.worker.handled();
    }
  }

  #onApplied(pending: PendingSnapshot, leases: readonly Lease[] | void): void {
    if (leases) void this.partition?.offer(leases, pending);
    else this.partition?.confirm(pending);
  }

  async #publish(leases: readonly Lease[], seqNo: number, signal: AbortSignal | undefined): Promise<void> {
    const tick = this.#tick;
    if (tick === undefined || seqNo > tick.seqNo) {
      const message = `the leases name tick ${seqNo}, which was not passed to Placement`;
      throw new ProvisioningError("VALIDATION_MALFORMED", message, { details: { received: seqNo } });
    }
    if (seqNo < tick.seqNo) throw toStale(seqNo, tick.seqNo);
    const { partition } = this;
    await partition?.awaitPublished(partition.offer(leases, tick), signal);
  }

  #onChange(): void {
    this.placement?.reconsider();
    const refusal = this.#lane.refusal;
    if (refusal?.code === "LIFECYCLE_STOPPED") this.partition?.refuseWaiting(refusal);
  }
}
