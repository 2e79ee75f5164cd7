import type { RequestOptions } from "node:https";
import {
  isProvisioningError,
  ProvisioningError,
  resolveSecret,
  throwIfAborted,
  toNetworkFailure,
  toSafeCause,
  untilAborted,
  type Clock,
} from "@holdfast/core";
import { DispatcherCache, type ClusterDispatcher } from "./dispatcher-cache.ts";
import { runExecPlugin, type ExecCredential } from "./exec-credential.ts";
import { findKubeconfig, type KubeconfigSource } from "./kubeconfig-source.ts";
import type { KubernetesProviderParams } from "./kubernetes-params.ts";
import { loadKubeconfig, type LoadedKubeconfig } from "./load-kubeconfig.ts";

/** What one request needs. */
export interface Access {
  /** The API server, without a slash at its end. */
  readonly server: string;
  /** That of the credentials' context. */
  readonly namespace: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: ClusterDispatcher;
}

interface Kept extends LoadedKubeconfig {
  readonly source: KubeconfigSource;
  credential?: ExecCredential | undefined;
}

/**
 * The way to one cluster: where it is, and who we are. Everything that may be rotated is looked at again for every request: the
 * kubeconfig and certificates; tokens within a minute; credentials of a plug-in until they expire. Connections are shared and
 * kept alive.
 */
export class ClusterAccess implements AsyncDisposable {
  readonly #params: KubernetesProviderParams;
  readonly #clock: Clock;
  readonly #dispatchers = new DispatcherCache();
  #kept: Kept | undefined;

  constructor(params: KubernetesProviderParams, clock: Clock) {
    this.#params = params;
    this.#clock = clock;
  }

  /**
   * Throws `CONNECTIVITY_SECRET_UNAVAILABLE` when a kubeconfig, token, or plug-in gives nothing usable, `CONNECTIVITY_TLS`
   * when certificates can't be used, `CONNECTIVITY_TIMEOUT` when a plug-in takes too long.
   */
  async get(signal: AbortSignal): Promise<Access> {
    const kept = await this.#load(signal);
    const { cluster, namespace } = kept;
    const options = await applyCredentials(kept, signal);
    const headers = toHeaders(options);
    const { token } = this.#params;
    if (token !== undefined) headers["authorization"] = `Bearer ${await resolveSecret(token, { signal })}`;
    const credential = await this.#runPlugin(kept, signal);
    if (credential?.token !== undefined) headers["authorization"] = `Bearer ${credential.token}`;
    const dispatcher = await this.#dispatchers.get({
      proxyUrl: cluster.proxyUrl,
      ca: options.ca,
      cert: credential?.cert ?? options.cert,
      key: credential?.key ?? options.key,
      servername: options.servername,
      rejectUnauthorized: options.rejectUnauthorized,
    });
    return { server: cluster.server.replace(/\/+$/, ""), namespace, headers, dispatcher };
  }

  /** After a refusal: nothing that was kept is used again. */
  forgetCredentials(): void {
    this.#kept = undefined;
  }

  /** Closes every connection. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#dispatchers[Symbol.asyncDispose]();
  }

  async #load(signal: AbortSignal): Promise<Kept> {
    const source = await findKubeconfig(this.#params, signal);
    if (this.#kept !== undefined && isSameSource(this.#kept.source, source)) return this.#kept;
    const kept: Kept = { ...(await untilAborted(loadKubeconfig(source, this.#params), signal)), source };
    this.#kept = kept;
    return kept;
  }

  async #runPlugin(kept: Kept, signal: AbortSignal): Promise<ExecCredential | undefined> {
    const { exec, cluster } = kept;
    if (exec === undefined) return undefined;
    const { expiresAt } = kept.credential ?? { expiresAt: 0 };
    if (expiresAt !== undefined && expiresAt <= this.#clock.now()) {
      const { execTimeoutMs: timeoutMs } = this.#params;
      kept.credential = await runExecPlugin(exec, { cluster, clock: this.#clock, timeoutMs, signal });
    }
    return kept.credential;
  }
}

/** What client-node makes of the current cluster and user. */
async function applyCredentials(loaded: LoadedKubeconfig, signal: AbortSignal): Promise<RequestOptions> {
  const options: RequestOptions = { headers: {} };
  try {
    await untilAborted(loaded.config.applyToHTTPSOptions(options), signal);
    return options;
  } catch (error) {
    throwIfAborted(signal);
    throw toCredentialError(error, loaded);
  }
}

function toCredentialError(error: unknown, { cluster, user }: LoadedKubeconfig): ProvisioningError {
  if (isProvisioningError(error)) return error;
  const path: unknown = Reflect.get(Object(error), "path");
  if (typeof path === "string") {
    const isCertificate = [cluster.caFile, user?.certFile, user?.keyFile].includes(path);
    const code = isCertificate ? "CONNECTIVITY_TLS" : "CONNECTIVITY_SECRET_UNAVAILABLE";
    return new ProvisioningError(code, `the file "${path}" could not be read`, { cause: error });
  }
  // A token that is renewed somewhere else (OpenID Connect).
  const code = toNetworkFailure(error)?.code ?? "CONNECTIVITY_SECRET_UNAVAILABLE";
  return new ProvisioningError(code, "the kubeconfig's credentials could not be made", {
    cause: toSafeCause(error),
  });
}

function isSameSource(a: KubeconfigSource, b: KubeconfigSource): boolean {
  if (a.kind !== "kubeconfig" || b.kind !== "kubeconfig") return a.kind === b.kind;
  return a.text === b.text && a.folder === b.folder;
}

function toHeaders({ headers, auth }: RequestOptions): Record<string, string> {
  const given: Record<string, string> = {};
  // A token file may end with a newline.
  for (const [name, value] of Object.entries(headers ?? {})) given[name.toLowerCase()] = String(value).trim();
  if (auth !== undefined && auth !== null)
    given["authorization"] = `Basic ${Buffer.from(auth).toString("base64")}`;
  return given;
}
