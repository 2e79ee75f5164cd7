import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import {
  describeFileFailure,
  ProvisioningError,
  readFileWithin,
  resolveSecret,
  throwIfAborted,
} from "@holdfast/core";
import type { KubernetesProviderParams } from "./kubernetes-params.ts";

/** Where the way to the cluster and the credentials are written. */
export type KubeconfigSource =
  | { readonly kind: "kubeconfig"; readonly text: string; readonly folder: string | undefined }
  | { readonly kind: "server" }
  | { readonly kind: "in-cluster" }
  /** Several files of `KUBECONFIG`, which are merged. */
  | { readonly kind: "several" };

/**
 * Finds the source, in this order: what the parameters name, the pod's own service account, what `kubectl` would take.
 * Throws `CONNECTIVITY_SECRET_UNAVAILABLE` when a kubeconfig cannot be read, is longer than 4 MiB, or there is none.
 */
export async function findKubeconfig(
  { kubeconfig, server }: KubernetesProviderParams,
  signal: AbortSignal,
): Promise<KubeconfigSource> {
  if (kubeconfig !== undefined && "env" in kubeconfig) {
    return {
      kind: "kubeconfig",
      text: await resolveSecret(kubeconfig, { signal, form: "text" }),
      folder: undefined,
    };
  }
  if (kubeconfig !== undefined) return readKubeconfig(kubeconfig.file, signal);
  if (server !== undefined) return { kind: "server" };
  const { KUBERNETES_SERVICE_HOST: inCluster, KUBECONFIG: named = "" } = process.env;
  const files = named.split(delimiter).filter((file) => file !== "");
  if (files.length === 0 && inCluster !== undefined) return { kind: "in-cluster" };
  if (files.length > 1) return { kind: "several" };
  const file = files[0] ?? join(homedir(), ".kube", "config");
  return readKubeconfig(file, signal);
}

/** Kubeconfigs of hundreds of clusters are a tenth of it. */
const MAX_BYTES = 4_194_304;

async function readKubeconfig(file: string, signal: AbortSignal): Promise<KubeconfigSource> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readFileWithin(file, { maxBytes: MAX_BYTES, signal });
  } catch (error) {
    throwIfAborted(signal);
    throw new ProvisioningError(
      "CONNECTIVITY_SECRET_UNAVAILABLE",
      `the kubeconfig "${file}" could not be read: ${describeFileFailure(error)}`,
      { cause: error },
    );
  }
  if (bytes !== undefined) return { kind: "kubeconfig", text: bytes.toString(), folder: dirname(file) };
  throw new ProvisioningError(
    "CONNECTIVITY_SECRET_UNAVAILABLE",
    `the kubeconfig "${file}" is longer than ${MAX_BYTES} bytes`,
  );
}
