import type { Clock } from "@holdfast/core";
import { proxyFromEnvironment, type HttpProxy, type TlsMaterial } from "@holdfast/core/adapter";
import { CredentialReader } from "./credentials/credential-reader.ts";
import { findKubeconfig, isSameSource, type KubeconfigSource } from "./kubeconfig/find-kubeconfig.ts";
import type { Headers } from "./kubeconfig/impersonation.ts";
import { loadKubeconfig, type LoadedKubeconfig } from "./kubeconfig/load-kubeconfig.ts";
import { currentProcessEnvironment, type ProcessEnvironment } from "./kubeconfig/process-environment.ts";
import type { AccessSettings } from "./access-settings.ts";
import { SharedCall } from "./shared-call.ts";

/** The data for one request. */
export interface Access {
  /** The URL of the API server, without a slash at the end. */
  readonly server: string;
  /** The namespace of the credentials' context. */
  readonly namespace: string | undefined;
  readonly headers: Headers;
  readonly tls: TlsMaterial;
  readonly proxy: HttpProxy | undefined;
}

interface CachedAccess {
  readonly source: KubeconfigSource;
  readonly loaded: LoadedKubeconfig;
  readonly credentials: CredentialReader;
}

/**
 * Provides the address of one cluster and the credentials for it. Everything that may be rotated is read again for
 * every request: kubeconfigs, certificates and tokens. The credential of a plugin is requested again when it expires.
 */
export class ClusterAccess {
  readonly #params: AccessSettings;
  readonly #clock: Clock;
  readonly #environment: () => ProcessEnvironment;
  #cached: CachedAccess | undefined;
  readonly #reading: SharedCall<Access> = new SharedCall((signal) => this.#read(signal));
  /** What each result of `get` was read with. */
  readonly #origins = new WeakMap<Access, CachedAccess>();

  constructor(
    params: AccessSettings,
    clock: Clock,
    environment: () => ProcessEnvironment = currentProcessEnvironment,
  ) {
    this.#params = params;
    this.#clock = clock;
    this.#environment = environment;
  }

  /**
   * Returns the data for one request. Throws `CONNECTIVITY_SECRET_UNAVAILABLE` when a kubeconfig, token or plugin does
   * not provide usable credentials, `CONNECTIVITY_TLS` when certificates cannot be used, and `CONNECTIVITY_TIMEOUT`
   * when a plugin takes too long. Requests at the same time share a result, so that many of them do not each read the files and run
   * the plugin. A result is never older than the call.
   */
  get(signal: AbortSignal): Promise<Access> {
    return this.#reading.run(signal);
  }

  /**
   * Discards the cached credentials that a request was sent with. Call it after the server has rejected them. Credentials that were
   * requested since then are kept, because many requests may be rejected at once.
   */
  forgetCredentials(rejected: Access): void {
    if (this.#origins.get(rejected) === this.#cached) this.#cached = undefined;
  }

  async #read(signal: AbortSignal): Promise<Access> {
    const environment = this.#environment();
    const cached = await this.#load(environment, signal);
    const { cluster, namespace } = cached.loaded;
    const { headers, ca, cert, key } = await cached.credentials.read(signal);
    const { server, serverName, isInsecure } = cluster;
    const access: Access = {
      server,
      namespace,
      headers,
      tls: { ca, cert, key, serverName, isInsecure },
      proxy: findProxy(cluster, environment),
    };
    this.#origins.set(access, cached);
    return access;
  }

  async #load(environment: ProcessEnvironment, signal: AbortSignal): Promise<CachedAccess> {
    const source = await findKubeconfig(this.#params, environment, signal);
    if (this.#cached !== undefined && isSameSource(this.#cached.source, source)) return this.#cached;
    const loaded = await loadKubeconfig(source, this.#params, environment, signal);
    const credentials = new CredentialReader(loaded, this.#params, this.#clock);
    this.#cached = { source, loaded, credentials };
    return this.#cached;
  }
}

function findProxy(
  { proxyUrl, server }: LoadedKubeconfig["cluster"],
  { env }: ProcessEnvironment,
): HttpProxy | undefined {
  // An empty proxy-url means that no proxy is used.
  if (proxyUrl) return { url: proxyUrl, source: "proxy-url of the kubeconfig" };
  const url = proxyUrl === undefined ? proxyFromEnvironment(server, env) : undefined;
  return url === undefined ? undefined : { url, source: "HTTPS_PROXY or HTTP_PROXY" };
}
