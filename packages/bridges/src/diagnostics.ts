import { createDiagnosticsChannel, type DiagnosticsChannel, type PortReport } from "@holdfast/core";

/** One attempt of a call to a port. */
export interface PortAttempt {
  readonly port: PortReport["port"];
  /** The method, for example `applySnapshot`. */
  readonly call: string;
  /** The place in the log that the call belongs to. */
  readonly seqNo: number;
  /** 1, 2, 3, ... */
  readonly attempt: number;
  readonly durationMs: number;
  /** What the port threw, or `LIFECYCLE_CONSUMER_TIMEOUT`; absent after a success. */
  readonly error?: unknown;
}

/** Each attempt of a call to a port, after it has ended. */
export const callChannel: DiagnosticsChannel<PortAttempt> = createDiagnosticsChannel("holdfast:call");
