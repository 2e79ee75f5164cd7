import type { Readable, Writable } from "node:stream";
import { systemClock, type Clock, type Random } from "@holdfast/core";
import { exitProcess } from "./exit-process.ts";

/** The signals that the daemon handles. */
export type TerminalSignal = "SIGINT" | "SIGTERM" | "SIGHUP" | "SIGUSR2";

/** The parts of the process that a command uses. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The base folder of relative paths on the command line. */
  readonly cwd: string;
  readonly pid: number;
  readonly clock: Clock;
  readonly random: Random;
  /** While there is a listener, these signals have no default effect. */
  onSignal(listener: (signal: TerminalSignal) => void): Disposable;
  /**
   * Calls the listener with errors that were thrown outside of any call (by a timer, a socket, a promise without a
   * handler). While there is a listener, they do not end the process.
   */
  onFault(listener: (error: unknown) => void): Disposable;
  /** Ends the process immediately. */
  exit(code: number): void;
}

/** Returns the terminal of the current process. */
export function createProcessTerminal(): Terminal {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
    pid: process.pid,
    clock: systemClock,
    // oxlint-disable-next-line no-restricted-properties -- the only source of random numbers of the command
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
