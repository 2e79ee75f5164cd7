import { isIPv6 } from "node:net";
import { join } from "node:path";
import { throwIfAborted } from "@holdfast/core";
import { readFileWithin } from "@holdfast/core/adapter";
import type { ClusterEntry } from "./cluster-entry.ts";
import type { ProcessEnvironment } from "./process-environment.ts";
import type { UserEntry } from "./user-entry.ts";

/** Sufficient for all tokens and all lists of certificate authorities. */
const MAX_BYTES = 4_194_304;

/** The cluster and the service account of the pod. */
export interface InCluster {
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
}

/**
 * Returns undefined when this process is not in a pod with access to its cluster. As in client-go
 * (rest.InClusterConfig), the variables of the API server must be set and not empty, and a token must be mounted.
 */
export async function findInCluster(
  { env, accountFolder }: ProcessEnvironment,
  signal: AbortSignal,
): Promise<InCluster | undefined> {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "" } = env;
  if (host === "" || port === "") return undefined;
  const tokenFile = join(accountFolder, "token");
  if ((await isFile(tokenFile, signal)) !== true) return undefined;
  const caFile = join(accountFolder, "ca.crt");
  return {
    cluster: {
      label: "the pod's cluster",
      server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
      isInsecure: false,
      // Without this file, client-go trusts the certificate authorities of the system.
      ca: (await isFile(caFile, signal)) === false ? undefined : { file: caFile },
    },
    user: { tokenFile },
  };
}

/**
 * Returns the namespace of the pod: POD_NAMESPACE, or that of the service account, as in client-go. Returns undefined
 * outside a pod.
 */
export async function findPodNamespace(
  environment: ProcessEnvironment,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { env, accountFolder } = environment;
  if ((await findInCluster(environment, signal)) === undefined) return undefined;
  if (env["POD_NAMESPACE"]) return env["POD_NAMESPACE"];
  try {
    const bytes = await readFileWithin(join(accountFolder, "namespace"), { maxBytes: 4_096, signal });
    return bytes?.toString().trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Returns undefined when the path cannot be read for a reason other than that there is no such file. */
async function isFile(path: string, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    await readFileWithin(path, { maxBytes: MAX_BYTES, signal });
    return true;
  } catch (error) {
    throwIfAborted(signal);
    const code: unknown = Reflect.get(Object(error), "code");
    return code === "ENOENT" || code === "EISDIR" ? false : undefined;
  }
}
