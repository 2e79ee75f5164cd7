import { spawnSync } from "node:child_process";

/**
 * Command prefix that runs a program as the first process of a new PID namespace, as in a container. The program ends
 * with its parent.
 */
export const IN_PID_NAMESPACE: readonly string[] = [
  "unshare",
  "--pid",
  "--fork",
  "--mount-proc",
  "--kill-child=KILL",
];

/** False where this user is not allowed to create namespaces, or the platform does not support them. */
export function hasPidNamespaces(): boolean {
  const [program, ...args] = [...IN_PID_NAMESPACE, "true"];
  return process.platform === "linux" && spawnSync(program, args).status === 0;
}
