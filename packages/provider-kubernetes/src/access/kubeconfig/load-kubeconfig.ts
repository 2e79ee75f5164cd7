import * as z from "zod";
import type { AccessSettings } from "../access-settings.ts";
import { readCluster, type ClusterEntry } from "./cluster-entry.ts";
import { EntryReader } from "./entry-reader.ts";
import type { KubeconfigSource } from "./find-kubeconfig.ts";
import { findInCluster, findPodNamespace } from "./in-cluster.ts";
import type { Kubeconfig, KubeconfigText } from "./kubeconfig-file.ts";
import { textField } from "./kubeconfig-field.ts";
import { mergeKubeconfigs } from "./merge-kubeconfigs.ts";
import type { ProcessEnvironment } from "./process-environment.ts";
import { describeFile, unusable } from "./unusable-kubeconfig.ts";
import { readUser, type UserEntry } from "./user-entry.ts";

/** The cluster and the user for the requests. */
export interface LoadedKubeconfig {
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
  readonly namespace: string | undefined;
}

/**
 * Selects the cluster and the user as client-go does: from the merged kubeconfig, or, when it does not name a cluster,
 * the service account of the pod. Throws `CONNECTIVITY_SECRET_UNAVAILABLE` with the file and the entry that cannot be
 * used.
 */
export async function loadKubeconfig(
  source: KubeconfigSource,
  params: AccessSettings,
  environment: ProcessEnvironment,
  signal: AbortSignal,
): Promise<LoadedKubeconfig> {
  if (source.kind === "server") return fromParams(params);
  // Imported only when a kubeconfig is first read, because it loads a YAML parser.
  const { parseKubeconfig } = await import("./kubeconfig-file.ts");
  const config = mergeKubeconfigs(source.texts.map(parseKubeconfig));
  const name = params.context ?? config.currentContext;
  if (name === "" && source.kind === "found") {
    const inCluster = await findInCluster(environment, signal);
    if (inCluster !== undefined)
      return { ...inCluster, namespace: await findPodNamespace(environment, signal) };
  }
  const loaded = readContext(config, name, source.texts, environment);
  return { ...loaded, namespace: loaded.namespace ?? (await findPodNamespace(environment, signal)) };
}

const contextSchema = z.looseObject({ cluster: textField, user: textField, namespace: textField });

function readContext(
  { contexts, clusters, users }: Kubeconfig,
  name: string,
  texts: readonly KubeconfigText[],
  { homeKubeconfig }: ProcessEnvironment,
): LoadedKubeconfig {
  const context = contexts.get(name);
  if (context === undefined) {
    const paths = texts.map(({ path }) => path);
    const why = name === "" ? "it has no current context" : `it has no context "${name}"`;
    if (paths.length > 0) throw unusable(paths.map(describeFile).join(", "), why);
    throw unusable(
      describeFile(homeKubeconfig),
      "neither it nor a file of KUBECONFIG exists, and this is not a pod",
    );
  }
  const reader = new EntryReader("context", context);
  const fields = reader.read(contextSchema);
  const cluster = clusters.get(fields.cluster ?? "");
  if (cluster === undefined) throw reader.unusable(`there is no cluster "${fields.cluster ?? ""}"`);
  const user = users.get(fields.user ?? "");
  // A context without a user is used without credentials. A user that does not exist is probably a typing error.
  if (user === undefined && fields.user !== undefined)
    throw reader.unusable(`there is no user "${fields.user}"`);
  return {
    cluster: readCluster(cluster),
    user: user === undefined ? {} : readUser(user),
    namespace: fields.namespace?.trim() || undefined,
  };
}

function fromParams(params: AccessSettings): LoadedKubeconfig {
  const { server = "", caFile, certFile, keyFile, serverName } = params;
  return {
    cluster: {
      label: "the server of the parameters",
      server: server.replace(/\/+$/, ""),
      serverName,
      isInsecure: false,
      ca: caFile === undefined ? undefined : { file: caFile },
    },
    user: {
      cert: certFile === undefined ? undefined : { file: certFile },
      key: keyFile === undefined ? undefined : { file: keyFile },
    },
    namespace: undefined,
  };
}
