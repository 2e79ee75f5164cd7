import type { Readable, Writable } from "node:stream";
import { systemClock, type Clock, type Random } from "@holdfast/core";
import { exitProcess } from "./exit-process.ts";

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
  /** While there is a listener, the signals do nothing by themselves. */
  onSignal(listener: (signal: TerminalSignal) => void): Disposable;
  /**
   * Calls the listener with what was thrown outside of any call (by a timer, a socket, a promise without a handler). While
   * there is a listener, this does not end the process.
   */
  onFault(listener: (error: unknown) => void): Disposable;
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
      return listen(signals.map((signal) => [signal, () => listener(signal)]));
    },
    onFault(listener) {
      const onError = (error: unknown) => listener(error);
      return listen([
        ["uncaughtException", onError],
        ["unhandledRejection", onError],
      ]);
    },
    exit: (code) => exitProcess(process, code, systemClock),
  };
}

function listen(listeners: readonly (readonly [string, (...args: unknown[]) => void])[]): Disposable {
  for (const [event, listener] of listeners) process.on(event, listener);
  return {
    [Symbol.dispose]() {
      for (const [event, listener] of listeners) process.off(event, listener);
    },
  };
}
