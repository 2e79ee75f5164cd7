import inspector from "node:inspector";

/** What `holdEarlySignals` uses of the process. */
export type SignalProcess = Pick<NodeJS.Process, "on" | "listenerCount" | "exit" | "execArgv" | "env">;

const NUMBER = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Decides what signals do from the first moment on, before anything else is loaded. `SIGUSR1` never opens a debugger.
 * `run` is not ended by a `SIGHUP` or `SIGUSR2` that comes before the daemon listens; a request to stop ends it at once
 * until then, also as process 1 of a container, where the default would be to ignore it.
 */
export function holdEarlySignals(process: SignalProcess, args: readonly string[]): void {
  process.on("SIGUSR1", () => closeDebugger(process));
  // One that came while Node itself was starting has opened a debugger already.
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

/** Closes the debugger, unless it was asked for with `--inspect`. */
function closeDebugger({ execArgv, env }: SignalProcess): void {
  if (inspector.url() === undefined) return;
  const isWanted = [...execArgv, ...(env["NODE_OPTIONS"] ?? "").split(" ")].some((argument) =>
    /^--inspect(?:-brk|-wait)?(?:=|$)/.test(argument),
  );
  if (!isWanted) inspector.close();
}
