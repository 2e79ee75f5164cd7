import type { LineWriter } from "../output/line-writer.ts";
import type { Paint } from "../output/paint.ts";
import type { DaemonOptions } from "../daemon/run-daemon.ts";
import type { Terminal } from "../terminal.ts";

/** The environment of a command, in addition to its arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Standard output. */
  readonly out: LineWriter;
  readonly paint: Paint;
  /** True: print JSON instead of text. */
  readonly isJson: boolean;
  readonly hints?: DaemonOptions["hints"];
}
