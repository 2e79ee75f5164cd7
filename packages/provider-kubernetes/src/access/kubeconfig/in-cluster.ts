import { isIPv6 } from "node:net";
import { join } from "node:path";
import { throwIfAborted } from "@holdfast/core";
import { readFileWithin } from "@holdfast/core/adapter";
import type { ClusterEntry } from "./cluster-entry.ts";
import type { Surroundings } from "./surroundings.ts";
import type { UserEntry } from "./user-entry.ts";

/** Large enough for every token and every list of authorities. */
const MAX_BYTES = 4_194_304;

/** The pod's own cluster and service account. */
export interface InCluster {
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
}

/**
 * Undefined when this is not a pod that may ask its cluster, decided as client-go does (rest.InClusterConfig): the variables of the
 * API server are set and not empty, and a token is mounted.
 */
export async function findInCluster(
  { env, accountFolder }: Surroundings,
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
      // Without it client-go trusts the authorities of the system.
      ca: (await isFile(caFile, signal)) === false ? undefined : { file: caFile },
    },
    user: { tokenFile },
  };
}

/** The pod's namespace: POD_NAMESPACE, or that of the service account, as in client-go. Undefined outside a pod. */
export async function findPodNamespace(
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { env, accountFolder } = surroundings;
  if ((await findInCluster(surroundings, signal)) === undefined) return undefined;
  if (env["POD_NAMESPACE"]) return env["POD_NAMESPACE"];
  try {
    const bytes = await readFileWithin(join(accountFolder, "namespace"), { maxBytes: 4_096, signal });
    return bytes?.toString().trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Undefined when the path cannot be read for another reason than that there is no such file. */
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
