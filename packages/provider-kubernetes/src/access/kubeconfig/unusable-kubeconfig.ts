import { ProvisioningError } from "@holdfast/core";

/** The error for a kubeconfig that cannot be used. `what` names the file or the entry, and quotes no value. */
export function unusable(what: string, why: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", `${what} cannot be used: ${why}`);
}

/** Names a kubeconfig in a message. One without a path came from an environment variable. */
export function describeFile(path: string | undefined): string {
  return path === undefined ? "the kubeconfig" : `the kubeconfig "${path}"`;
}
