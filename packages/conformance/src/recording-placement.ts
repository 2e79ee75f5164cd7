import type { RecordedLease, RecordedTick } from "./call-journal.ts";
import { RecordingPort, type RecordingPortOptions } from "./recording-port.ts";

export interface RecordingPlacementOptions extends RecordingPortOptions {
  /** The leases that follow from a snapshot; nothing when ownership stays as it was. @defaultValue nothing */
  readonly leases?: ((tick: RecordedTick) => readonly RecordedLease[] | undefined) | undefined;
}

/** A Placement port that writes down what it is told. */
export class RecordingPlacement extends RecordingPort {
  readonly #leases: (tick: RecordedTick) => readonly RecordedLease[] | undefined;

  constructor(options: RecordingPlacementOptions = {}) {
    super("placement", options);
    this.#leases = options.leases ?? (() => undefined);
  }

  /** The snapshots it acknowledged. */
  get ticks(): readonly RecordedTick[] {
    return this.calls.flatMap((call) =>
      call.method === "applySnapshot" && call.outcome === "done" ? [call.tick] : [],
    );
  }

  async applySnapshot(
    tick: RecordedTick,
    options: { readonly signal: AbortSignal },
  ): Promise<readonly RecordedLease[] | undefined> {
    await this.record({ port: "placement", method: "applySnapshot", tick }, options);
    return this.#leases(tick);
  }
}
