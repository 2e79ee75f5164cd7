import inspector from "node:inspector";

/** The part of the process that `holdEarlySignals` uses. */
export type SignalProcess = Pick<NodeJS.Process, "on" | "listenerCount" | "exit" | "execArgv" | "env">;

const NUMBER = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Handles signals from the first moment, before anything else is loaded. `SIGUSR1` never opens a debugger. A `SIGHUP`
 * or `SIGUSR2` that arrives before the daemon listens does not end `run`. Until then a signal to stop ends it at once,
 * also as process 1 of a container, where the default is to ignore it.
 */
export function holdEarlySignals(process: SignalProcess, args: readonly string[]): void {
  process.on("SIGUSR1", () => closeDebugger(process));
  // A SIGUSR1 during the start of Node itself has already opened a debugger.
  closeDebugger(process);
  if (args[0] !== "run") return;
  // The configuration is read later, so there is nothing to reload yet.
  process.on("SIGHUP", () => {});
  process.on("SIGUSR2", () => {});
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const isOnly = process.listenerCount(signal) === 1;
      if (isOnly) process.exit(128 + NUMBER[signal]);
    });
  }
}

/** Closes the debugger, unless it was requested with `--inspect`. */
function closeDebugger({ execArgv, env }: SignalProcess): void {
  if (inspector.url() === undefined) return;
  const isWanted = [...execArgv, ...(env["NODE_OPTIONS"] ?? "").split(" ")].some((argument) =>
    /^--inspect(?:-brk|-wait)?(?:=|$)/.test(argument),
  );
  if (!isWanted) inspector.close();
}
