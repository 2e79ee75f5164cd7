import {
  ProvisioningError,
  refusalOf,
  type ProviderSnapshot,
  type TopologyNotice,
  type TopologySource,
} from "@holdfast/core";
import type { Lane } from "./lane.ts";
import type { LeaseTick, PartitionPort } from "./partition-port.ts";
import { createSnapshotTick, type PendingSnapshot } from "./snapshot-tick.ts";

const PORT = "partition";

/** Keeps Partition at the newest snapshot and its leases, and answers for the newest snapshot at any time. */
export class PartitionManagerBridge {
  readonly #source: TopologySource;
  readonly #port: PartitionPort;
  readonly #lane: Lane;
  #acknowledged: ProviderSnapshot | undefined;

  /** Made, and driven, by an `OwnershipLane`. */
  constructor(source: TopologySource, port: PartitionPort, lane: Lane) {
    this.#source = source;
    this.#port = port;
    this.#lane = lane;
  }

  /** What the port acknowledged last; kept through failures and after the end. */
  get lastSnapshot(): ProviderSnapshot | undefined {
    return this.#acknowledged;
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

  /** Hands a snapshot over; false when it was overtaken. */
  async applySnapshot(pending: PendingSnapshot): Promise<boolean> {
    const tick = createSnapshotTick(pending, this.#acknowledged);
    const done = await this.#lane.call({
      port: PORT,
      call: "applySnapshot",
      seqNo: pending.seqNo,
      run: (options) => this.#port.applySnapshot(tick, options),
      isOutdated: () => this.#lane.hasNewer,
    });
    if (done === undefined) return false;
    this.#acknowledged = pending.snapshot;
    return true;
  }

  async publishLeases(leases: LeaseTick): Promise<void> {
    await this.#lane.call({
      port: PORT,
      call: "publishLeases",
      seqNo: leases.seqNo,
      run: (options) => this.#port.publishLeases(leases, options),
    });
  }

  async notify(notice: TopologyNotice): Promise<void> {
    await this.#lane.call({
      port: PORT,
      call: "notify",
      seqNo: notice.seqNo,
      run: (options) => this.#port.notify(notice, options),
    });
  }
}
