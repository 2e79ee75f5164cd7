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

/** Reports on standard error that standard output cannot be written, and how many lines that cost. */
export class OutputTrouble implements LineWriterListener {
  /** Where the gap is reported once standard output works again. */
  output: DaemonOutput | undefined;
  readonly #options: OutputTroubleOptions;
  #reported = 0;

  constructor(options: OutputTroubleOptions) {
    this.#options = options;
  }

  onFailed({ code, isReaderGone }: WriteFailure): void {
    const what = isReaderGone ? "has no reader any more" : "cannot be written";
    const words = `standard output ${what} (${code}); the daemon continues and drops its lines until it can be written again`;
    this.#report("output_failed", { code }, words);
  }

  onRecovered(dropped: number): void {
    this.#reported += dropped;
    const words = `standard output can be written again; ${dropped} lines were dropped`;
    this.#report("output_recovered", { dropped }, words);
    this.output?.note({
      kind: "skipped",
      facts: { count: dropped },
      words: `${dropped} lines could not be written`,
    });
  }

  /** At the end: the lines that were dropped since the last report, if any. */
  sum(droppedInAll: number): void {
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
