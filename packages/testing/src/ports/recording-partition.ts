import type { LeaseTick, SnapshotTick, CallOptions } from "@holdfast/core";
import { RecordingPort, type RecordingPortOptions } from "./recording-port.ts";

/** A Partition port that records its calls. */
export class RecordingPartition extends RecordingPort {
  constructor(options: RecordingPortOptions = {}) {
    super("partition", options);
  }

  /** The acknowledged snapshots. */
  get ticks(): readonly SnapshotTick[] {
    return this.calls.flatMap((call) =>
      call.method === "applySnapshot" && call.outcome === "done" ? [call.tick] : [],
    );
  }

  /** The acknowledged leases. */
  get leases(): readonly LeaseTick[] {
    return this.calls.flatMap((call) =>
      call.method === "publishLeases" && call.outcome === "done" ? [call.leases] : [],
    );
  }

  applySnapshot(tick: SnapshotTick, options: CallOptions): Promise<void> {
    return this.record({ port: "partition", method: "applySnapshot", tick }, options);
  }

  publishLeases(leases: LeaseTick, options: CallOptions): Promise<void> {
    return this.record({ port: "partition", method: "publishLeases", leases }, options);
  }
}
