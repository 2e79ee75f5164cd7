import { ProvisioningError, throwIfAborted, untilAborted, type Clock } from "@holdfast/core";
import { readPemFile, resolveSecret, toNetworkFailure, toSafeCause } from "@holdfast/core/adapter";
import type { ExecCredential } from "./exec-credential.ts";
import { runExecPlugin } from "./run-exec-plugin.ts";
import type { ClusterEntry } from "../kubeconfig/cluster-entry.ts";
import type { PemSource } from "../kubeconfig/entry-reader.ts";
import type { Headers } from "../kubeconfig/impersonation.ts";
import type { LoadedKubeconfig } from "../kubeconfig/load-kubeconfig.ts";
import { readOidcToken, type OidcSession } from "./read-oidc-token.ts";
import type { KubernetesSettings } from "../../kubernetes-params.ts";

/** What this side proves with who it is, for one request. */
export interface Credentials {
  readonly headers: Headers;
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | string | undefined;
  readonly key: Buffer | string | undefined;
}

/**
 * Makes the credentials of one kubeconfig's user. Files are read again for every request, so that one that is rotated is seen; a
 * credential of a plugin is kept until it expires.
 */
export class CredentialReader {
  readonly #loaded: LoadedKubeconfig;
  readonly #params: KubernetesSettings;
  readonly #clock: Clock;
  readonly #oidc: OidcSession = {};
  #fromPlugin: ExecCredential | undefined;
  #lastFileToken: string | undefined;

  constructor(loaded: LoadedKubeconfig, params: KubernetesSettings, clock: Clock) {
    this.#loaded = loaded;
    this.#params = params;
    this.#clock = clock;
  }

  /**
   * Throws `CONNECTIVITY_SECRET_UNAVAILABLE` when a token, a plugin or OpenID Connect gives nothing usable, `CONNECTIVITY_TLS` when a
   * certificate or key cannot be read, `CONNECTIVITY_TIMEOUT` when a plugin takes too long.
   */
  async read(signal: AbortSignal): Promise<Credentials> {
    const { cluster, user } = this.#loaded;
    const ca = await readPem(cluster.ca, signal);
    if (ca !== undefined && !ca.includes("-----BEGIN"))
      throw new ProvisioningError(
        "CONNECTIVITY_TLS",
        `the authority of ${cluster.label} is not a PEM certificate`,
      );
    const ownCert = await readPem(user.cert, signal);
    const ownKey = await readPem(user.key, signal);
    const authorization = await this.#authorize(signal);
    const plugin =
      user.exec === undefined ? undefined : await this.#runPlugin(user.exec, cluster, ca, signal);
    const pluginToken =
      plugin?.token === undefined ? undefined : toBearer(plugin.token, "the credential plugin");
    // As in client-go a token of the kubeconfig goes before that of a plugin.
    const sent = authorization ?? pluginToken;
    return {
      headers: { ...user.impersonation, ...(sent !== undefined && { authorization: sent }) },
      ca,
      cert: plugin?.cert ?? ownCert,
      key: plugin?.key ?? ownKey,
    };
  }

  async #authorize(signal: AbortSignal): Promise<string | undefined> {
    const { token: reference } = this.#params;
    if (reference !== undefined) return toBearer(await resolveSecret(reference, { signal }), "the token");
    const { label = "the kubeconfig", tokenFile, token, basic, oidc } = this.#loaded.user;
    if (tokenFile !== undefined)
      return toBearer(await this.#readTokenFile(tokenFile, token, signal), `the file "${tokenFile}"`);
    if (token !== undefined) return toBearer(token, label);
    if (basic !== undefined)
      return `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString("base64")}`;
    if (oidc === undefined) return undefined;
    const fromIssuer = await this.#readOidc(oidc, signal);
    return fromIssuer === undefined ? undefined : toBearer(fromIssuer, "the OpenID Connect provider");
  }

  /** As in client-go the last content that could be read goes before `token`, which is used until there is one. */
  async #readTokenFile(file: string, token: string | undefined, signal: AbortSignal): Promise<string> {
    try {
      this.#lastFileToken = await resolveSecret({ file }, { signal });
      return this.#lastFileToken;
    } catch (error) {
      throwIfAborted(signal);
      const before = this.#lastFileToken ?? token;
      if (before === undefined) throw error;
      return before;
    }
  }

  async #readOidc(
    config: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    try {
      return await untilAborted(readOidcToken(config, this.#oidc), signal);
    } catch (error) {
      throwIfAborted(signal);
      const code = toNetworkFailure(error)?.code ?? "CONNECTIVITY_SECRET_UNAVAILABLE";
      throw new ProvisioningError(code, "no token could be obtained by OpenID Connect", {
        cause: toSafeCause(error),
      });
    }
  }

  async #runPlugin(
    exec: unknown,
    cluster: ClusterEntry,
    ca: Buffer | undefined,
    signal: AbortSignal,
  ): Promise<ExecCredential> {
    const kept = this.#fromPlugin;
    if (kept !== undefined && (kept.expiresAt === undefined || kept.expiresAt > this.#clock.now()))
      return kept;
    const { label } = this.#loaded.user;
    const { execTimeoutMs: timeoutMs } = this.#params;
    const options = { label, cluster, ca, clock: this.#clock, timeoutMs, signal };
    this.#fromPlugin = await runExecPlugin(exec, options);
    return this.#fromPlugin;
  }
}

async function readPem(source: PemSource | undefined, signal: AbortSignal): Promise<Buffer | undefined> {
  if (source === undefined) return undefined;
  return "data" in source ? source.data : await readPemFile(source.file, signal);
}

/** A token that no header can hold would be refused by the HTTP client, in an error that quotes it. */
function toBearer(token: string, origin: string): string {
  const trimmed = token.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return `Bearer ${trimmed}`;
  const what = trimmed === "" ? "an empty token" : "a token with characters that a header cannot hold";
  throw new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", `${origin} gives ${what}`);
}
