import { homedir } from "node:os";
import { join } from "node:path";

/** What is outside the parameters and decides about the way to the cluster. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `~/.kube/config`. */
  readonly homeKubeconfig: string;
  /** Where a pod finds its service account. */
  readonly accountFolder: string;
}

/** Those of this process, as they are now. */
export function currentSurroundings(): Surroundings {
  return {
    env: process.env,
    homeKubeconfig: join(homedir(), ".kube", "config"),
    accountFolder: "/var/run/secrets/kubernetes.io/serviceaccount",
  };
}
