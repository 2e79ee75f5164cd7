import { createDiagnosticsChannel, type DiagnosticsChannel, type TopologyEvent } from "@holdfast/core";

/** Each event of the log, before listeners receive it. */
export const eventChannel: DiagnosticsChannel<{ readonly event: TopologyEvent }> =
  createDiagnosticsChannel("holdfast:event");
