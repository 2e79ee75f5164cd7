import { execFileSync } from "node:child_process";

const COMMAND = "mkfifo"; // exists on every POSIX system

/** Uses a command, because Node cannot create a named pipe. */
export function makeNamedPipe(path: string): void {
  execFileSync(COMMAND, [path]);
}
