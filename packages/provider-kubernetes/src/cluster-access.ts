import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { RequestOptions } from "node:https";
import type { KubeConfig, User } from "@kubernetes/client-node";
import {
  isProvisioningError,
  ProvisioningError,
  resolveSecret,
  throwIfAborted,
  type Clock,
} from "@holdfast/core";
import { DispatcherCache, type ClusterDispatcher } from "./dispatcher-cache.ts";
import { runExecPlugin, type ExecCredential } from "./exec-credential.ts";
import type { KubernetesProviderParams } from "./kubernetes-params.ts";

/** What one request needs. */
export interface Access {
  /** The API server, without a slash at its end. */
  readonly server: string;
  /** That of the credentials' context. */
  readonly namespace: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: ClusterDispatcher;
}

interface Loaded {
  readonly config: KubeConfig;
  /** The kubeconfig it was made of. */
  readonly text: string | undefined;
  /** The plug-in of the current user; the library's own would have no time limit. */
  readonly exec: unknown;
  credential?: ExecCredential | undefined;
}

/**
 * The way to one cluster: where it is, and who we are. Everything that may be rotated is looked at again for every request: the
 * kubeconfig, certificates and tokens; credentials of a plug-in until they expire. Connections are shared and kept alive.
 */
export class ClusterAccess implements AsyncDisposable {
  readonly #params: KubernetesProviderParams;
  readonly #clock: Clock;
  readonly #dispatchers = new DispatcherCache();
  #loaded: Loaded | undefined;

  constructor(params: KubernetesProviderParams, clock: Clock) {
    this.#params = params;
    this.#clock = clock;
  }

  /**
   * Throws `CONNECTIVITY_SECRET_UNAVAILABLE` when a kubeconfig, token, or plug-in gives nothing usable, `CONNECTIVITY_TLS`
   * when a certificate can't be read, `CONNECTIVITY_TIMEOUT` when a plug-in takes too long.
   */
  async get(signal: AbortSignal): Promise<Access> {
    const loaded = await this.#load(signal);
    const { config } = loaded;
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw unusable("it has no current context, or that names no cluster");
    const options: RequestOptions = { headers: {} };
    try {
      await config.applyToHTTPSOptions(options);
    } catch (error) {
      throwIfAborted(signal);
      throw new ProvisioningError(
        "CONNECTIVITY_TLS",
        "the credentials could not be applied: a certificate or token file cannot be read, or http is used without insecure-skip-tls-verify",
        { cause: error },
      );
    }
    const headers = toHeaders(options);
    const { token } = this.#params;
    if (token !== undefined) headers["authorization"] = `Bearer ${await resolveSecret(token, { signal })}`;
    const credential = await this.#runPlugin(loaded, signal);
    if (credential?.token !== undefined) headers["authorization"] = `Bearer ${credential.token}`;
    const dispatcher = await this.#dispatchers.get({
      proxyUrl: cluster.proxyUrl,
      ca: options.ca,
      cert: credential?.cert ?? options.cert,
      key: credential?.key ?? options.key,
      servername: options.servername,
      rejectUnauthorized: options.rejectUnauthorized,
    });
    const context = config.getContextObject(config.getCurrentContext());
    return { server: cluster.server.replace(/\/+$/, ""), namespace: context?.namespace, headers, dispatcher };
  }

  /** After a refusal: nothing that was kept is used again. */
  forgetCredentials(): void {
    this.#loaded = undefined;
  }

  /** Closes every connection. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#dispatchers[Symbol.asyncDispose]();
  }

  async #load(signal: AbortSignal): Promise<Loaded> {
    const { kubeconfig } = this.#params;
    const text = kubeconfig === undefined ? undefined : await readKubeconfig(kubeconfig, signal);
    if (this.#loaded !== undefined && this.#loaded.text === text) return this.#loaded;
    // 62 MB that a program without Kubernetes never loads.
    const { KubeConfig: KubeConfigClass } = await import("@kubernetes/client-node");
    const config = new KubeConfigClass();
    try {
      this.#fill(config, text);
    } catch (error) {
      if (isProvisioningError(error)) throw error;
      // The parser's message quotes the text, and so may hold a secret.
      throw unusable("it cannot be read as a kubeconfig");
    }
    const user = config.getCurrentUser();
    const loaded: Loaded = { config: withoutExec(config), text, exec: user?.exec as unknown };
    throwIfAborted(signal);
    this.#loaded = loaded;
    return loaded;
  }

  #fill(config: KubeConfig, text: string | undefined): void {
    const { kubeconfig, context, server, caFile, certFile, keyFile, serverName } = this.#params;
    if (text !== undefined) {
      config.loadFromString(text);
      if (kubeconfig !== undefined && "file" in kubeconfig)
        config.makePathsAbsolute(dirname(kubeconfig.file));
    } else if (server !== undefined) {
      config.loadFromClusterAndUser(
        {
          name: "cluster",
          server,
          skipTLSVerify: server.startsWith("http:"),
          ...(caFile !== undefined && { caFile }),
          ...(serverName !== undefined && { tlsServerName: serverName }),
        },
        {
          name: "user",
          ...(certFile !== undefined && { certFile }),
          ...(keyFile !== undefined && { keyFile }),
        },
      );
    } else if (
      process.env["KUBERNETES_SERVICE_HOST"] !== undefined &&
      process.env["KUBECONFIG"] === undefined
    ) {
      config.loadFromCluster();
    } else {
      config.loadFromDefault();
    }
    if (context === undefined) return;
    if (config.getContextObject(context) === null) throw unusable(`it has no context "${context}"`);
    config.setCurrentContext(context);
  }

  async #runPlugin(loaded: Loaded, signal: AbortSignal): Promise<ExecCredential | undefined> {
    if (loaded.exec === undefined || loaded.exec === null) return undefined;
    const { expiresAt } = loaded.credential ?? { expiresAt: 0 };
    if (expiresAt !== undefined && expiresAt <= this.#clock.now()) {
      const { execTimeoutMs: timeoutMs } = this.#params;
      loaded.credential = await runExecPlugin(loaded.exec, { clock: this.#clock, timeoutMs, signal });
    }
    return loaded.credential;
  }
}

async function readKubeconfig(
  reference: NonNullable<KubernetesProviderParams["kubeconfig"]>,
  signal: AbortSignal,
): Promise<string> {
  if ("env" in reference) return resolveSecret(reference, { signal });
  try {
    return await readFile(reference.file, { encoding: "utf8", signal });
  } catch (error) {
    throwIfAborted(signal);
    throw new ProvisioningError(
      "CONNECTIVITY_SECRET_UNAVAILABLE",
      `the kubeconfig "${reference.file}" could not be read`,
      { cause: error },
    );
  }
}

/** The same, but for users' plug-ins, which the library would run by itself. */
function withoutExec(config: KubeConfig): KubeConfig {
  const users: User[] = config.getUsers().map((user) => ({ ...user, exec: undefined }));
  config.loadFromOptions({
    clusters: config.getClusters(),
    contexts: config.getContexts(),
    users,
    currentContext: config.getCurrentContext(),
  });
  return config;
}

function toHeaders({ headers, auth }: RequestOptions): Record<string, string> {
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) given[name.toLowerCase()] = String(value);
  if (auth !== undefined && auth !== null)
    given["authorization"] = `Basic ${Buffer.from(auth).toString("base64")}`;
  return given;
}

function unusable(why: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", `the kubeconfig cannot be used: ${why}`);
}
