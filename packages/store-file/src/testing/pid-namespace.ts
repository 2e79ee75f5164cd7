import { spawnSync } from "node:child_process";

/** Makes the command that follows the first process of a PID namespace of its own, as in a container; it ends with its parent. */
export const IN_PID_NAMESPACE: readonly string[] = [
  "unshare",
  "--pid",
  "--fork",
  "--mount-proc",
  "--kill-child=KILL",
];

/** False where this user may not, or the platform cannot. */
export function hasPidNamespaces(): boolean {
  const [program, ...args] = [...IN_PID_NAMESPACE, "true"];
  return process.platform === "linux" && spawnSync(program, args).status === 0;
}
