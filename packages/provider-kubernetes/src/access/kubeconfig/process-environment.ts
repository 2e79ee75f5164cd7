import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The parts of the process environment that determine the cluster and the credentials, in addition to the parameters.
 */
export interface ProcessEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `~/.kube/config`. */
  readonly homeKubeconfig: string;
  /** The folder with the service account of a pod. */
  readonly accountFolder: string;
}

/** Returns the current environment of this process. */
export function currentProcessEnvironment(): ProcessEnvironment {
  return {
    env: process.env,
    homeKubeconfig: join(homedir(), ".kube", "config"),
    accountFolder: "/var/run/secrets/kubernetes.io/serviceaccount",
  };
}
