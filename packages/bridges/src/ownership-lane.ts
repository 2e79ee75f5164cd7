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
  /** How long `admit()` waits for Placement, in milliseconds. @defaultValue three times the deadline of a call */
  readonly admitTimeoutMs?: number | undefined;
}

/**
 * The lane Placement and Partition share, tick by tick: the snapshot to Partition, then to Placement, then Placement's
 * leases to Partition, all with one `seqNo`, before either sees anything later. Notices go to Partition, then Placement,
 * in the order of the log.
 *
 * One port waits for the other at most as long as a call may take. A port that has not taken what was handed over by then is
 * behind: the other goes on without it, and from then on does not wait for it, until it has caught up with the newest
 * snapshot. Placement's leases are kept meanwhile, and are published at the first tick that both ports have.
 */
export class OwnershipLane implements AsyncDisposable {
  readonly placement: PlacementSupervisorBridge | undefined;
  readonly partition: PartitionManagerBridge | undefined;
  readonly #lane: Lane;
  /** The last tick that was handed to any port. */
  #tick: PendingSnapshot | undefined;

  /** Begins with the state the source is in. */
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

  /** How each port is doing. */
  get ports(): readonly PortReport[] {
    return this.#lane.ports;
  }

  /**
   * From now on new snapshots and admissions are refused; each bridge's `lastSnapshot` stays. Resolves when what waited has
   * been delivered or given up, or when the signal aborts: then calls in progress are abandoned and what was left is named.
   */
  drain(options: DrainOptions): Promise<DrainReport> {
    return this.#lane.drain(options);
  }

  /** Stops at once; requests that wait for admission are refused with `LIFECYCLE_STOPPED`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lane[Symbol.asyncDispose]();
  }

  async #applySnapshot(pending: PendingSnapshot): Promise<void> {
    const { partition, placement } = this;
    // Leases that Placement published since the last tick come before this one.
    await partition?.worker.handled();
    this.#tick = pending;
    if (partition !== undefined) {
      partition.worker.takeSnapshot(pending);
      await partition.worker.handled();
      // Overtaken: Placement is handed the newer one, too.
      if (!partition.worker.isBehind && !partition.has(pending)) return;
    }
    placement?.worker.takeSnapshot(pending);
    await placement?.worker.handled();
    // The leases of this tick reach Partition before either port sees anything later.
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
      const message = `leases name tick ${seqNo}, which was not handed to Placement`;
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
