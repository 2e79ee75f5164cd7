import type { TopologyNotice } from "@holdfast/core";
import type { BridgeOptions, DrainOptions, DrainReport } from "./bridge-options.ts";
import { Lane } from "./lane.ts";
import { PartitionManagerBridge } from "./partition-manager-bridge.ts";
import type { PartitionPort } from "./partition-port.ts";
import { PlacementSupervisorBridge } from "./placement-supervisor-bridge.ts";
import type { PlacementPort } from "./placement-port.ts";
import type { PendingSnapshot } from "./snapshot-tick.ts";

export interface OwnershipLaneOptions extends BridgeOptions {
  readonly placement?: PlacementPort | undefined;
  readonly partition?: PartitionPort | undefined;
}

/**
 * The lane Placement and Partition share, tick by tick: the snapshot to Partition, then to Placement, then Placement's
 * leases to Partition, all with one `seqNo`, before either sees anything later. Notices go to Partition, then Placement,
 * each once it has succeeded, in the order of the log. A slow or failing port makes snapshots be skipped, never notices.
 */
export class OwnershipLane implements AsyncDisposable {
  readonly placement: PlacementSupervisorBridge | undefined;
  readonly partition: PartitionManagerBridge | undefined;
  readonly #lane: Lane;

  /** Begins with the state the source is in. */
  constructor(options: OwnershipLaneOptions) {
    const { source, placement, partition } = options;
    this.#lane = new Lane("ownership", options, {
      applySnapshot: (pending) => this.#applySnapshot(pending),
      notify: (notice) => this.#notify(notice),
      onChange: () => this.placement?.reconsider(),
    });
    this.placement = placement && new PlacementSupervisorBridge(source, placement, this.#lane);
    this.partition = partition && new PartitionManagerBridge(source, partition, this.#lane);
  }

  /**
   * From now on new snapshots and admissions are refused; each bridge's `lastSnapshot` stays. Resolves when what waited has
   * been told, or when the signal aborts: then a call under way is abandoned and what was left is named.
   */
  drain(options: DrainOptions): Promise<DrainReport> {
    return this.#lane.drain(options);
  }

  /** Stops at once; whoever waits for admission is refused with `LIFECYCLE_STOPPED`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lane[Symbol.asyncDispose]();
  }

  async #applySnapshot(pending: PendingSnapshot): Promise<void> {
    if ((await this.partition?.applySnapshot(pending)) === false) return;
    const done = await this.placement?.applySnapshot(pending);
    const leases = done?.value;
    if (!leases || this.partition === undefined) return;
    // From here on nothing overtakes: ownership has changed, so Partition must learn of it within this tick.
    const { epoch, seqNo, snapshot } = pending;
    await this.partition.publishLeases({ epoch, seqNo, snapshotHash: snapshot.hash, leases });
  }

  async #notify(notice: TopologyNotice): Promise<void> {
    await this.partition?.notify(notice);
    await this.placement?.notify(notice);
  }
}
