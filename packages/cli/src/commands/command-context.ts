import type { LineWriter } from "../output/line-writer.ts";
import type { Paint } from "../output/paint.ts";
import type { DaemonOptions } from "../daemon/run-daemon.ts";
import type { Terminal } from "../terminal.ts";

/** What a command works with besides its arguments. */
export interface CommandContext {
  readonly terminal: Terminal;
  /** Standard output. */
  readonly out: LineWriter;
  readonly paint: Paint;
  /** JSON instead of words. */
  readonly isJson: boolean;
  readonly hints?: DaemonOptions["hints"];
}
