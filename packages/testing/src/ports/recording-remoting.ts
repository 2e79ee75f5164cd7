import type { RemoteTopologyEvent, CallOptions } from "@holdfast/core";
import { RecordingPort, type RecordingPortOptions } from "./recording-port.ts";

/** A Remoting port that records its calls. */
export class RecordingRemoting extends RecordingPort {
  constructor(options: RecordingPortOptions = {}) {
    super("remoting", options);
  }

  /** The events of all acknowledged batches, in order. */
  get events(): readonly RemoteTopologyEvent[] {
    return this.calls.flatMap((call) =>
      call.method === "applyEvents" && call.outcome === "done" ? call.events : [],
    );
  }

  applyEvents(events: readonly RemoteTopologyEvent[], options: CallOptions): Promise<void> {
    return this.record({ port: "remoting", method: "applyEvents", events }, options);
  }
}
