import { EventEmitter } from "node:events";
import type { SignalSource } from "../src/shutdown-signals.ts";

/** A process to which a test sends signals. */
export class FakeSignals extends EventEmitter implements SignalSource {
  readonly pid = 4_711;
  /** The signals that would have ended the process. */
  readonly killed: string[] = [];

  kill(pid: number, signal: NodeJS.Signals): void {
    if (pid === this.pid) this.killed.push(signal);
  }
}
