import { execFileSync } from "node:child_process";

const COMMAND = "mkfifo"; // of every POSIX system

/** Node itself can't make one. */
export function makeNamedPipe(path: string): void {
  execFileSync(COMMAND, [path]);
}
