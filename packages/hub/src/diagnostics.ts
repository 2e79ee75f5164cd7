import { createDiagnosticsChannel, type DiagnosticsChannel, type TopologyEvent } from "@holdfast/core";

/** Every event of the log, published before listeners receive it. */
export const eventChannel: DiagnosticsChannel<{ readonly event: TopologyEvent }> =
  createDiagnosticsChannel("holdfast:event");
