import type { RequestOptions } from "node:https";
import { isIP } from "node:net";
import { hasUserKubernetes } from "./user-servers.ts";
import { KubernetesApi } from "./kubernetes-api.ts";
import { KubernetesServer } from "./kubernetes-server.ts";
import { uniqueName } from "../unique-name.ts";

/** A Kubernetes API server that tests may read and write, in a separate namespace for each call. */
export interface OpenKubernetes extends AsyncDisposable {
  readonly address: string;
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** The parameters of a provider, without the service. `address` can be the address of a proxy that does not end TLS. */
  params(address: string): Readonly<Record<string, unknown>>;
}

/** Opens the user's cluster if `KUBECONFIG` is set; otherwise starts a server. The namespace is deleted at the end. */
export async function openKubernetes(): Promise<OpenKubernetes> {
  const opened = hasUserKubernetes() ? await openUserServer() : await openStarted();
  const { api } = opened;
  const namespace = uniqueName();
  try {
    await api.call("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
  return {
    address: api.access.address,
    api,
    namespace,
    params: (through) => ({ ...opened.params(through), namespace }),
    async [Symbol.asyncDispose]() {
      // A server that was started here has no controller that would empty the namespace.
      await api.call("DELETE", `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`);
      await api.call("DELETE", `/api/v1/namespaces/${namespace}`);
      await opened[Symbol.asyncDispose]();
    },
  };
}

type Opened = Pick<OpenKubernetes, "api" | "params"> & AsyncDisposable;

async function openStarted(): Promise<Opened> {
  const server = await KubernetesServer.start();
  return {
    api: server.api,
    params: (through) => server.params(through),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function openUserServer(): Promise<Opened> {
  // Imported only for a user's cluster, because it is large (62 MB).
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromDefault();
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error("KUBECONFIG has no current context");
  const options: RequestOptions = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, servername, rejectUnauthorized, headers } = options;
  const tls = Object.entries({ ca, cert, key, servername, rejectUnauthorized });
  const api = new KubernetesApi({
    address: cluster.server.replace(/\/+$/, ""),
    headers: { ...(headers as Record<string, string>) },
    tls: Object.fromEntries(tls.filter(([, value]) => value !== undefined)),
  });
  let proxies = 0;
  return {
    api,
    params(through) {
      if (through === api.access.address) return {};
      // The same credentials for another address.
      const { hostname } = new URL(cluster.server);
      const tlsServerName = cluster.tlsServerName ?? (isIP(hostname) === 0 ? hostname : undefined);
      const moved = { ...cluster, server: through, ...(tlsServerName !== undefined && { tlsServerName }) };
      const other = new KubeConfig();
      other.loadFromOptions({
        clusters: config.getClusters().map((each) => (each.name === cluster.name ? moved : each)),
        contexts: config.getContexts(),
        users: config.getUsers(),
        currentContext: config.getCurrentContext(),
      });
      const env = `HOLDFAST_TEST_KUBECONFIG_${++proxies}`;
      process.env[env] = other.exportConfig();
      return { kubeconfig: { env } };
    },
    [Symbol.asyncDispose]: () => api.close(),
  };
}
