import { followLog, isProvisioningError, type LogPosition, type TopologyLog } from "@holdfast/core";
import type { DaemonOutput } from "./daemon-output.ts";

export interface PrintLogOptions {
  readonly log: TopologyLog;
  readonly output: DaemonOutput;
  /** Ends the printing once everything the log holds is printed. */
  readonly signal: AbortSignal;
}

/** Prints every event of the log. Where the reader was too slow for what the log retains, it says how many it missed. */
export async function printLog(options: PrintLogOptions): Promise<void> {
  const { log, output, signal } = options;
  let from: LogPosition = { epoch: log.state.epoch, seqNo: 0 };
  for (;;) {
    try {
      for await (const event of followLog({ log, from, signal })) {
        from = event;
        await output.event(event);
      }
      return;
    } catch (error) {
      if (!isProvisioningError(error) || error.code !== "STREAM_EXPIRED") throw error;
      const { epoch, seqNo } = log.state;
      const count = seqNo - from.seqNo;
      output.note({
        kind: "skipped",
        facts: { count },
        words: `${count} events were not printed: the reader is slow`,
      });
      from = { epoch, seqNo };
    }
  }
}
