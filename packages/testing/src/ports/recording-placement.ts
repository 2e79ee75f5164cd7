import type { Lease, SnapshotTick, CallOptions } from "@holdfast/core";
import { RecordingPort, type RecordingPortOptions } from "./recording-port.ts";

export interface RecordingPlacementOptions extends RecordingPortOptions {
  /**
   * Returns the leases for a snapshot, or `undefined` when ownership does not change. @defaultValue always `undefined`
   */
  readonly leases?: ((tick: SnapshotTick) => readonly Lease[] | undefined) | undefined;
}

/** A Placement port that records its calls. */
export class RecordingPlacement extends RecordingPort {
  readonly #leases: (tick: SnapshotTick) => readonly Lease[] | undefined;

  constructor(options: RecordingPlacementOptions = {}) {
    super("placement", options);
    this.#leases = options.leases ?? (() => undefined);
  }

  /** The acknowledged snapshots. */
  get ticks(): readonly SnapshotTick[] {
    return this.calls.flatMap((call) =>
      call.method === "applySnapshot" && call.outcome === "done" ? [call.tick] : [],
    );
  }

  async applySnapshot(tick: SnapshotTick, options: CallOptions): Promise<readonly Lease[] | undefined> {
    await this.record({ port: "placement", method: "applySnapshot", tick }, options);
    return this.#leases(tick);
  }
}
