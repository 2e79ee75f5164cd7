import type { Clock } from "@holdfast/core";
import { proxyFromEnvironment, type HttpProxy, type TlsMaterial } from "@holdfast/core/adapter";
import { CredentialReader } from "./credentials/credential-reader.ts";
import { findKubeconfig, isSameSource, type KubeconfigSource } from "./kubeconfig/find-kubeconfig.ts";
import type { Headers } from "./kubeconfig/impersonation.ts";
import { loadKubeconfig, type LoadedKubeconfig } from "./kubeconfig/load-kubeconfig.ts";
import { currentSurroundings, type Surroundings } from "./kubeconfig/surroundings.ts";
import type { KubernetesSettings } from "../kubernetes-params.ts";

/** What one request needs. */
export interface Access {
  /** The API server, without a slash at its end. */
  readonly server: string;
  /** That of the credentials' context. */
  readonly namespace: string | undefined;
  readonly headers: Headers;
  readonly tls: TlsMaterial;
  readonly proxy: HttpProxy | undefined;
}

interface Kept {
  readonly source: KubeconfigSource;
  readonly loaded: LoadedKubeconfig;
  readonly credentials: CredentialReader;
}

/**
 * The way to one cluster: where it is, and who we are. Everything that may be rotated is read again for every request: kubeconfigs,
 * certificates and tokens; the credential of a plugin when it expires.
 */
export class ClusterAccess {
  readonly #params: KubernetesSettings;
  readonly #clock: Clock;
  readonly #surroundings: () => Surroundings;
  #kept: Kept | undefined;

  constructor(
    params: KubernetesSettings,
    clock: Clock,
    surroundings: () => Surroundings = currentSurroundings,
  ) {
    this.#params = params;
    this.#clock = clock;
    this.#surroundings = surroundings;
  }

  /**
   * Throws `CONNECTIVITY_SECRET_UNAVAILABLE` when a kubeconfig, token, or plugin gives nothing usable, `CONNECTIVITY_TLS` when
   * certificates can't be used, `CONNECTIVITY_TIMEOUT` when a plugin takes too long.
   */
  async get(signal: AbortSignal): Promise<Access> {
    const surroundings = this.#surroundings();
    const { loaded, credentials } = await this.#load(surroundings, signal);
    const { cluster, namespace } = loaded;
    const { headers, ca, cert, key } = await credentials.read(signal);
    const { server, serverName, isInsecure } = cluster;
    return {
      server,
      namespace,
      headers,
      tls: { ca, cert, key, serverName, isInsecure },
      proxy: findProxy(cluster, surroundings),
    };
  }

  /** After a refusal: nothing that was kept is used again. */
  forgetCredentials(): void {
    this.#kept = undefined;
  }

  async #load(surroundings: Surroundings, signal: AbortSignal): Promise<Kept> {
    const source = await findKubeconfig(this.#params, surroundings, signal);
    if (this.#kept !== undefined && isSameSource(this.#kept.source, source)) return this.#kept;
    const loaded = await loadKubeconfig(source, this.#params, surroundings, signal);
    const credentials = new CredentialReader(loaded, this.#params, this.#clock);
    this.#kept = { source, loaded, credentials };
    return this.#kept;
  }
}

function findProxy(
  { proxyUrl, server }: LoadedKubeconfig["cluster"],
  { env }: Surroundings,
): HttpProxy | undefined {
  // An empty proxy-url is one that is not given.
  if (proxyUrl) return { url: proxyUrl, source: "proxy-url of the kubeconfig" };
  const url = proxyUrl === undefined ? proxyFromEnvironment(server, env) : undefined;
  return url === undefined ? undefined : { url, source: "HTTPS_PROXY or HTTP_PROXY" };
}
