import { isIPv6 } from "node:net";
import { join } from "node:path";
import { ProvisioningError } from "@holdfast/core";
import { readFileWithin, type SecretReference } from "@holdfast/core/adapter";
import type { KubernetesRegistrarSettings } from "./kubernetes-registrar-params.ts";
import type { PodEnvironment } from "./pod-environment.ts";

/** The pod of this process, and how to reach it through the API. */
export interface PodAddress {
  readonly server: string;
  readonly podName: string;
  /** Undefined when it is in the folder of the service account. */
  readonly namespace: string | undefined;
  readonly caFile: string;
  readonly token: SecretReference;
}

const MAX_NAMESPACE_BYTES = 4_096;

/**
 * Finds the pod without I/O, as client-go does (rest.InClusterConfig): an empty variable is unset. Throws
 * `VALIDATION_MALFORMED` when this process is not in a pod and the parameters do not name one.
 */
export function findPodAddress(
  { server, podName, namespace, caFile, token }: KubernetesRegistrarSettings,
  { env, accountFolder }: PodEnvironment,
): PodAddress {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const inCluster = host && port ? `https://${isIPv6(host) ? `[${host}]` : host}:${port}` : undefined;
  const found = { server: server ?? inCluster, podName: podName ?? (env["POD_NAME"] || env["HOSTNAME"]) };
  if (!found.server) throw toMissing("server", "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT");
  if (!found.podName) throw toMissing("podName", "POD_NAME or HOSTNAME");
  return {
    server: found.server.replace(/\/$/, ""),
    podName: found.podName,
    namespace: namespace ?? (env["POD_NAMESPACE"] || undefined),
    caFile: caFile ?? join(accountFolder, "ca.crt"),
    token: token ?? { file: join(accountFolder, "token") },
  };
}

/** Returns the namespace of the service account. Throws `CONNECTIVITY_SECRET_UNAVAILABLE` when it cannot be read. */
export async function readNamespace({ accountFolder }: PodEnvironment, signal: AbortSignal): Promise<string> {
  const file = join(accountFolder, "namespace");
  const bytes = await readFileWithin(file, { maxBytes: MAX_NAMESPACE_BYTES, signal }).catch(() => undefined);
  const namespace = bytes?.toString().trim();
  if (namespace) return namespace;
  const message = `the namespace of this pod could not be read from "${file}"; set POD_NAMESPACE or the parameter "namespace"`;
  throw new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", message, { details: { file } });
}

function toMissing(parameter: string, variables: string): ProvisioningError {
  const message = `this process is not in a pod: ${variables} is not set, and neither is the parameter "${parameter}"`;
  return new ProvisioningError("VALIDATION_MALFORMED", message, { details: { path: parameter } });
}
