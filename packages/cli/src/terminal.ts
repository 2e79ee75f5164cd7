import type { Readable, Writable } from "node:stream";
import { systemClock, type Clock, type Random } from "@holdfast/core";

/** The signals the daemon understands. */
export type TerminalSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR2";

/** What a command has of the process it runs in. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where relative paths on the command line start from. */
  readonly cwd: string;
  readonly pid: number;
  readonly clock: Clock;
  readonly random: Random;
  /** As long as anybody listens, the signals do nothing by themselves. */
  onSignal(listener: (signal: TerminalSignal) => void): Disposable;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** The process itself. */
export function createProcessTerminal(): Terminal {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    pid: process.pid,
    clock: systemClock,
    // oxlint-disable-next-line no-restricted-properties -- the one source of chance of the command
    random: Math.random,
    onSignal(listener) {
      const signals = ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"] as const;
      const listeners = signals.map((signal) => [signal, () => listener(signal)] as const);
      for (const [signal, onSignal] of listeners) process.on(signal, onSignal);
      return {
        [Symbol.dispose]() {
          for (const [signal, onSignal] of listeners) process.off(signal, onSignal);
        },
      };
    },
    exit: (code) => process.exit(code),
  };
}
