import {
  refusalOf,
  throwIfAborted,
  toAbortError,
  whenAborted,
  type ProviderSnapshot,
  type SnapshotHash,
  type TopologyNotice,
  type TopologySource,
} from "@holdfast/core";
import type { Lane } from "./lane.ts";
import type { Lease, PlacementPort } from "./placement-port.ts";
import { createSnapshotTick, type PendingSnapshot } from "./snapshot-tick.ts";

/** What ownership is based on. */
export interface Admission {
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
}

export interface AdmitOptions {
  readonly signal?: AbortSignal | undefined;
}

interface Waiting extends PromiseWithResolvers<Admission> {
  readonly seqNo: number;
}

/** Keeps Placement at the newest snapshot and holds requests back until it is. */
export class PlacementSupervisorBridge {
  readonly #source: TopologySource;
  readonly #port: PlacementPort;
  readonly #lane: Lane;
  readonly #waiting = new Set<Waiting>();
  #acknowledged: PendingSnapshot | undefined;

  /** Made, and driven, by an `OwnershipLane`. */
  constructor(source: TopologySource, port: PlacementPort, lane: Lane) {
    this.#source = source;
    this.#port = port;
    this.#lane = lane;
  }

  /** What the port acknowledged last; kept through failures and after the end. */
  get lastSnapshot(): ProviderSnapshot | undefined {
    return this.#acknowledged?.snapshot;
  }

  /**
   * To be awaited before serving a placement request. Resolves once ownership was computed from a snapshot at least as
   * new as the newest one at the time of the call; a degraded topology is admitted. Rejects, also while waiting, with
   * `TOPOLOGY_NO_SNAPSHOT`, `TOPOLOGY_EMPTY`, `TOPOLOGY_UNAVAILABLE`, `LIFECYCLE_SHUTTING_DOWN` or `LIFECYCLE_STOPPED`,
   * or as the signal aborts.
   */
  async admit({ signal }: AdmitOptions = {}): Promise<Admission> {
    throwIfAborted(signal);
    const waiting: Waiting = {
      seqNo: this.#source.state.snapshotSeqNo,
      ...Promise.withResolvers<Admission>(),
    };
    this.#waiting.add(waiting);
    this.reconsider();
    using _ = whenAborted(signal, () => {
      if (signal !== undefined) waiting.reject(toAbortError(signal));
    });
    try {
      return await waiting.promise;
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  /** Hands a snapshot over; `undefined` when it was overtaken. */
  async applySnapshot(
    pending: PendingSnapshot,
  ): Promise<{ readonly value: readonly Lease[] | void } | undefined> {
    const tick = createSnapshotTick(pending, this.#acknowledged?.snapshot);
    const done = await this.#lane.call({
      port: "placement",
      call: "applySnapshot",
      seqNo: pending.seqNo,
      run: (options) => this.#port.applySnapshot(tick, options),
      isOutdated: () => this.#lane.hasNewer,
    });
    if (done !== undefined) {
      this.#acknowledged = pending;
      this.reconsider();
    }
    return done;
  }

  async notify(notice: TopologyNotice): Promise<void> {
    await this.#lane.call({
      port: "placement",
      call: "notify",
      seqNo: notice.seqNo,
      run: (options) => this.#port.notify(notice, options),
    });
  }

  /** Settles the waiting requests that can be. */
  reconsider(): void {
    if (this.#waiting.size === 0) return;
    const refusal = this.#lane.refusal ?? refusalOf(this.#source.state);
    const acknowledged = this.#acknowledged;
    for (const waiting of this.#waiting) {
      if (refusal !== undefined) {
        waiting.reject(refusal);
      } else if (acknowledged !== undefined && acknowledged.seqNo >= waiting.seqNo) {
        waiting.resolve({ seqNo: acknowledged.seqNo, snapshotHash: acknowledged.snapshot.hash });
      }
    }
  }
}
