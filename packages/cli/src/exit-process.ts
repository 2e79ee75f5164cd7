import type { Clock } from "@holdfast/core";

/** The part of the process that `exitProcess` uses. */
export type ExitingProcess = Pick<
  NodeJS.Process,
  "exit" | "kill" | "pid" | "getActiveResourcesInfo" | "execPath" | "env" | "execve"
>;

/** Time for file system calls to finish before the process is killed, in milliseconds. */
const GRACE_MS = 500;
const CHECK_MS = 25;

/**
 * Ends the process. At its exit Node waits without limit for threads that are blocked in a system call, so on a file
 * system that does not respond the exit would hang. Such a process is replaced by one that only exits with the code:
 * the kernel ends all other threads for that. A signal would lose the code, and the first process of a container
 * ignores signals that it sends to itself. Where replacing is not possible (Windows), the process kills itself; its
 * exit code is then 137 (`SIGKILL`).
 */
export function exitProcess(process: ExitingProcess, code: number, clock: Clock): void {
  const endAt = clock.monotonic() + GRACE_MS;
  const tryExit = () => {
    if (!isBlocked(process)) process.exit(code);
    else if (clock.monotonic() >= endAt) endBlocked(process, code);
    else clock.schedule(CHECK_MS, tryExit);
  };
  tryExit();
}

function endBlocked(process: ExitingProcess, code: number): void {
  const { NODE_OPTIONS: _, ...env } = process.env;
  try {
    process.execve?.(process.execPath, [process.execPath, "--eval", `process.exit(${code})`], env);
  } finally {
    process.kill(process.pid, "SIGKILL");
  }
}

/** True when a thread of the pool may be in a system call: file system, name resolution. */
function isBlocked(process: ExitingProcess): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(?:FSReq|GetAddrInfo|GetNameInfo)/.test(name));
}
