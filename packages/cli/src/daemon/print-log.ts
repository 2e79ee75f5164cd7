import {
  followLog,
  isProvisioningError,
  type LogPosition,
  type TopologyLog,
  type TopologyName,
} from "@holdfast/core";
import type { DaemonOutput } from "./daemon-output.ts";

export interface PrintLogOptions {
  readonly log: TopologyLog;
  readonly topology: TopologyName;
  readonly output: DaemonOutput;
  /** Ends the printing once every event in the log has been printed. */
  readonly signal: AbortSignal;
}

/** Prints every event of the log. If the reader is too slow for the retained events, prints how many it missed. */
export async function printLog(options: PrintLogOptions): Promise<void> {
  const { log, topology, output, signal } = options;
  let from: LogPosition = { epoch: log.state.epoch, seqNo: 0 };
  for (;;) {
    try {
      for await (const event of followLog({ log, from, signal })) {
        from = event;
        await output.event(event, topology);
      }
      return;
    } catch (error) {
      if (!isProvisioningError(error) || error.code !== "STREAM_EXPIRED") throw error;
      const { epoch, seqNo } = log.state;
      const count = seqNo - from.seqNo;
      output.note({
        kind: "skipped",
        topology,
        facts: { count },
        text: `${count} events were not printed, because the reader is too slow`,
      });
      from = { epoch, seqNo };
    }
  }
}
