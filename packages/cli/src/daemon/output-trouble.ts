import type { Clock } from "@holdfast/core";
import type { LineWriter, LineWriterListener, WriteFailure } from "../output/line-writer.ts";
import { toJsonText } from "../output/printable.ts";
import type { DaemonOutput } from "./daemon-output.ts";

export interface OutputTroubleOptions {
  /** Standard error. */
  readonly err: LineWriter;
  readonly clock: Clock;
  readonly isJson: boolean;
}

/** Reports on standard error that standard output cannot be written, and how many lines were dropped. */
export class OutputTrouble implements LineWriterListener {
  /** Receives the report about dropped lines once standard output works again. */
  output: DaemonOutput | undefined;
  readonly #options: OutputTroubleOptions;
  #reported = 0;

  constructor(options: OutputTroubleOptions) {
    this.#options = options;
  }

  onFailed({ code, isReaderGone }: WriteFailure): void {
    const what = isReaderGone ? "was closed by its reader" : "cannot be written";
    const text = `standard output ${what} (${code}); the daemon continues and drops lines until output works again`;
    this.#report("output_failed", { code }, text);
  }

  onRecovered(dropped: number): void {
    this.#reported += dropped;
    const text = `standard output works again; ${dropped} lines were dropped`;
    this.#report("output_recovered", { dropped }, text);
    this.output?.note({
      kind: "skipped",
      facts: { count: dropped },
      text: `${dropped} lines could not be written`,
    });
  }

  /** Reports at the end the lines dropped since the last report, if any. */
  reportRest(droppedInAll: number): void {
    const dropped = droppedInAll - this.#reported;
    if (dropped > 0)
      this.#report("output_dropped", { dropped }, `${dropped} lines of standard output were dropped`);
  }

  #report(kind: string, facts: Readonly<Record<string, unknown>>, message: string): void {
    const { err, clock, isJson } = this.#options;
    const line = isJson ? toJsonText({ kind, at: clock.now(), ...facts, message }) : `warning: ${message}`;
    void err.write(line);
  }
}
