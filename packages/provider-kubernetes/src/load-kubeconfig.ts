import { isAbsolute, join, resolve, sep } from "node:path";
import type { Cluster, KubeConfig, User } from "@kubernetes/client-node";
import { fieldOf, isProvisioningError, listOf, ProvisioningError } from "@holdfast/core";
import { findMalformed } from "./kubeconfig-form.ts";
import type { KubeconfigSource } from "./kubeconfig-source.ts";
import type { KubernetesProviderParams } from "./kubernetes-params.ts";

export interface LoadedKubeconfig {
  /** Its users have no plug-ins: the library would run them without a time limit. */
  readonly config: KubeConfig;
  readonly cluster: Cluster;
  readonly user: User | null;
  readonly namespace: string | undefined;
  /** The `exec` section of the current user; undefined when it has none. */
  readonly exec: unknown;
}

/** Service account tokens, and OpenID Connect. The others were removed from Kubernetes, and block the process. */
const AUTH_PROVIDERS: ReadonlySet<unknown> = new Set(["tokenFile", "oidc"]);

/** Throws `CONNECTIVITY_SECRET_UNAVAILABLE` when it is no kubeconfig, or its context does not lead to a cluster. */
export async function loadKubeconfig(
  source: KubeconfigSource,
  params: KubernetesProviderParams,
): Promise<LoadedKubeconfig> {
  // 62 MB that a program without Kubernetes never loads.
  const { KubeConfig: KubeConfigClass, loadYaml } = await import("@kubernetes/client-node");
  const config = new KubeConfigClass();
  const folder = source.kind === "kubeconfig" ? source.folder : undefined;
  let exec: unknown;
  try {
    fill(config, source, params, loadYaml);
    if (params.context !== undefined) config.setCurrentContext(params.context);
    exec = resolveCommand(config.getCurrentUser()?.exec, folder);
    keepOwn(config);
  } catch (error) {
    if (isProvisioningError(error)) throw error;
    // The parser's message quotes the text, and so may hold a secret.
    throw unusable("it cannot be read as one");
  }
  const name: unknown = config.getCurrentContext();
  const context = typeof name === "string" ? config.getContextObject(name) : null;
  if (context === null) throw unusable(`it has no context "${typeof name === "string" ? name : ""}"`);
  const cluster = config.getCurrentCluster();
  const user = config.getCurrentUser();
  const malformed = findMalformed({ context, cluster, user });
  if (malformed !== undefined) throw unusable(`${malformed} is malformed`);
  if (cluster === null) throw unusable(`it has no cluster "${context.cluster}"`);
  assertServer(cluster.server);
  const provider: unknown = user?.authProvider;
  if (provider !== undefined && provider !== null && !AUTH_PROVIDERS.has(fieldOf(provider, "name"))) {
    throw unusable("its auth-provider is none that Kubernetes still has; use exec");
  }
  return { config, cluster, user, namespace: context.namespace?.trim() || undefined, exec };
}

function fill(
  config: KubeConfig,
  source: KubeconfigSource,
  { server, caFile, certFile, keyFile, serverName }: KubernetesProviderParams,
  loadYaml: (text: string) => unknown,
): void {
  if (source.kind === "in-cluster") return config.loadFromCluster();
  if (source.kind === "several") return config.loadFromDefault();
  if (source.kind === "kubeconfig") {
    config.loadFromString(source.text);
    readTokenFiles(config, loadYaml(source.text), source.folder);
    if (source.folder !== undefined) config.makePathsAbsolute(source.folder);
    return undefined;
  }
  return config.loadFromClusterAndUser(
    {
      name: "cluster",
      server: server ?? "",
      skipTLSVerify: false,
      ...(caFile !== undefined && { caFile }),
      ...(serverName !== undefined && { tlsServerName: serverName }),
    },
    { name: "user", ...(certFile !== undefined && { certFile }), ...(keyFile !== undefined && { keyFile }) },
  );
}

/** `tokenFile` of a user, which the library does not know (kubeconfig reference, AuthInfo); it goes before `token`. */
function readTokenFiles(config: KubeConfig, document: unknown, folder: string | undefined): void {
  const files = new Map<unknown, string>();
  for (const entry of listOf(document, "users")) {
    const file = fieldOf(fieldOf(entry, "user"), "tokenFile");
    if (typeof file === "string" && file !== "") files.set(fieldOf(entry, "name"), file);
  }
  config.users = config.getUsers().map((user) => {
    const file = files.get(user.name);
    if (file === undefined) return user;
    const tokenFile = isAbsolute(file) || folder === undefined ? file : join(folder, file);
    return { ...user, token: "", authProvider: { name: "tokenFile", config: { tokenFile } } };
  });
}

function keepOwn(config: KubeConfig): void {
  config.users = config.getUsers().map((user) => ({ ...user, exec: undefined }));
  // The library refuses http unless certificates are not verified, of which http has none.
  config.clusters = config
    .getClusters()
    .map((cluster) => (cluster.server.startsWith("http:") ? { ...cluster, skipTLSVerify: true } : cluster));
}

/** Without user, password, query and fragment. */
const SERVER = /^https?:\/\/[^\s/?#@]+(?:\/[^\s?#@]*)?$/i;

/** It is told of in errors, so nothing secret may be in it. */
function assertServer(server: string): void {
  if (SERVER.test(server) && URL.canParse(server)) return;
  const why = server.includes("@")
    ? "has credentials in it, which belong to a user"
    : "is no http or https URL";
  throw unusable(`its server ${why}`);
}

/** A relative path is relative to the kubeconfig (kubeconfig reference, ExecConfig). */
function resolveCommand(exec: unknown, folder: string | undefined): unknown {
  if (typeof exec !== "object" || exec === null) return undefined;
  const command = fieldOf(exec, "command");
  const isPath = typeof command === "string" && command.includes(sep);
  return isPath && folder !== undefined ? { ...exec, command: resolve(folder, command) } : exec;
}

function unusable(why: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", `the kubeconfig cannot be used: ${why}`);
}
