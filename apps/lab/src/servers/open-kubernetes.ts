import type { RequestOptions } from "node:https";
import { isIP } from "node:net";
import { hasOwnKubernetes } from "./own-servers.ts";
import { KubernetesApi } from "./kubernetes-api.ts";
import { KubernetesServer } from "./kubernetes-server.ts";
import { uniqueName } from "../unique-name.ts";

/** A Kubernetes to read and write, in a namespace of the test's own. */
export interface OpenKubernetes extends AsyncDisposable {
  readonly address: string;
  readonly api: KubernetesApi;
  readonly namespace: string;
  /** The provider's parameters but for the service; `address` may be that of a proxy that passes TLS through. */
  params(address: string): Readonly<Record<string, unknown>>;
}

/** The user's cluster by `KUBECONFIG`, else one of the test's own. The namespace is deleted at the end. */
export async function openKubernetes(): Promise<OpenKubernetes> {
  const opened = hasOwnKubernetes() ? await openOwn() : await openStarted();
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
      // The test's own server has no controller that would empty it.
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

async function openOwn(): Promise<Opened> {
  // 62 MB that only a user's own cluster needs.
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
      // The same credentials, by another way.
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
