import { ProvisioningError, throwIfAborted, untilAborted, type Clock } from "@holdfast/core";
import { readPemFile, resolveSecret, toNetworkFailure, toSafeCause } from "@holdfast/core/adapter";
import type { ExecCredential } from "./exec-credential.ts";
import { runExecPlugin } from "./run-exec-plugin.ts";
import type { ClusterEntry } from "../kubeconfig/cluster-entry.ts";
import type { PemSource } from "../kubeconfig/entry-reader.ts";
import type { Headers } from "../kubeconfig/impersonation.ts";
import type { LoadedKubeconfig } from "../kubeconfig/load-kubeconfig.ts";
import { readOidcToken, type OidcSession } from "./read-oidc-token.ts";
import type { AccessSettings } from "../access-settings.ts";

/** The credentials for one request. */
export interface Credentials {
  readonly headers: Headers;
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | string | undefined;
  readonly key: Buffer | string | undefined;
}

/**
 * Reads the credentials of the user of a kubeconfig. Files are read again for every request, so that rotated files are
 * used. A credential of a plugin is kept until it expires.
 */
export class CredentialReader {
  readonly #loaded: LoadedKubeconfig;
  readonly #params: AccessSettings;
  readonly #clock: Clock;
  readonly #oidc: OidcSession = {};
  #fromPlugin: ExecCredential | undefined;
  #lastFileToken: string | undefined;

  constructor(loaded: LoadedKubeconfig, params: AccessSettings, clock: Clock) {
    this.#loaded = loaded;
    this.#params = params;
    this.#clock = clock;
  }

  /**
   * Throws `CONNECTIVITY_SECRET_UNAVAILABLE` when a token, a plugin or OpenID Connect does not provide usable
   * credentials, `CONNECTIVITY_TLS` when a certificate or key cannot be read, and `CONNECTIVITY_TIMEOUT` when a plugin
   * takes too long.
   */
  async read(signal: AbortSignal): Promise<Credentials> {
    const { cluster, user } = this.#loaded;
    const ca = await readPem(cluster.ca, signal);
    if (ca !== undefined && !ca.includes("-----BEGIN"))
      throw new ProvisioningError(
        "CONNECTIVITY_TLS",
        `the authority of ${cluster.label} is not a PEM certificate`,
      );
    const userCert = await readPem(user.cert, signal);
    const userKey = await readPem(user.key, signal);
    const authorization = await this.#authorize(signal);
    const plugin =
      user.exec === undefined ? undefined : await this.#runPlugin(user.exec, cluster, ca, signal);
    const pluginToken =
      plugin?.token === undefined ? undefined : toBearer(plugin.token, "the credential plugin");
    // As in client-go, a token of the kubeconfig takes precedence over that of a plugin.
    const header = authorization ?? pluginToken;
    return {
      headers: { ...user.impersonation, ...(header !== undefined && { authorization: header }) },
      ca,
      cert: plugin?.cert ?? userCert,
      key: plugin?.key ?? userKey,
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

  /**
   * Reads a token file. As in client-go, if it cannot be read, the last content is used, or `token` if the file has
   * never been read.
   */
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

/**
 * Checks that a token can be sent in a header. Otherwise the HTTP client would reject it with an error that quotes it.
 */
function toBearer(token: string, origin: string): string {
  const trimmed = token.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return `Bearer ${trimmed}`;
  const what = trimmed === "" ? "an empty token" : "a token with characters that are not allowed in a header";
  throw new ProvisioningError("CONNECTIVITY_SECRET_UNAVAILABLE", `${origin} contains ${what}`);
}
