import { createHash } from "node:crypto";
import { Agent as HttpAgent, type AgentOptions } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { createSecureContext, type SecureContext } from "node:tls";
import { ProvisioningError, throwIfAborted } from "@holdfast/core";
import { describeFileFailure, proxyFromEnvironment, readFileWithin } from "@holdfast/core/adapter";
import type { ConsulTls } from "../consul-params.ts";
import { dropIdle } from "./send-request.ts";

/** Ten times a bundle of all public authorities. */
const MAX_BYTES = 4_194_304;

/** What a new TLS connection is made with. */
interface TlsMaterial {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** How an address is reached. */
export interface Route {
  readonly agent: HttpAgent;
  /** `host:port` of the proxy on the way, without its credentials. */
  readonly proxy: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Keeps connections alive between requests, by way of the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY).
 * Certificates that were replaced on disk are used from the next request on. While they do not fit each other, as between the
 * replacement of one and the next, the old ones remain in use.
 */
export class ConsulAgents implements Disposable {
  readonly #tls: ConsulTls | undefined;
  readonly #env: Environment;
  /** By the URL of the proxy; empty for none. */
  readonly #http = new Map<string, HttpAgent>();
  readonly #https = new Map<string, { readonly fingerprint: string; readonly agent: HttpsAgent }>();

  constructor(tls: ConsulTls | undefined, env: Environment = process.env) {
    this.#tls = tls;
    this.#env = env;
  }

  /** Throws `CONNECTIVITY_TLS` when a certificate file cannot be read, and when there never were any that fit each other. */
  async routeTo(url: URL, signal: AbortSignal): Promise<Route> {
    const proxyUrl = proxyFromEnvironment(url.origin, this.#env);
    const proxy = proxyUrl === undefined ? undefined : toProxyHost(proxyUrl);
    const agent = url.protocol === "http:" ? this.#plain(proxyUrl) : await this.#secure(proxyUrl, signal);
    return { agent, proxy };
  }

  [Symbol.dispose](): void {
    for (const agent of this.#http.values()) agent.destroy();
    for (const { agent } of this.#https.values()) agent.destroy();
  }

  #plain(proxyUrl = ""): HttpAgent {
    const known = this.#http.get(proxyUrl);
    const agent = known ?? new HttpAgent({ keepAlive: true, ...toProxyOptions(proxyUrl) });
    this.#http.set(proxyUrl, agent);
    return agent;
  }

  async #secure(proxyUrl = "", signal: AbortSignal): Promise<HttpAgent> {
    const material = await this.#read(signal);
    const hash = createHash("sha256");
    for (const part of [material.ca, material.cert, material.key]) hash.update(part ?? "").update("\0");
    const fingerprint = hash.digest("hex");
    const known = this.#https.get(proxyUrl);
    if (known?.fingerprint === fingerprint) return known.agent;
    const secureContext = toSecureContext(material);
    if (secureContext instanceof ProvisioningError) {
      if (known === undefined) throw secureContext;
      return known.agent;
    }
    if (known !== undefined) retire(known.agent);
    const { serverName } = this.#tls ?? {};
    const agent = new HttpsAgent({
      keepAlive: true,
      secureContext,
      // Stated, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not turn it off.
      rejectUnauthorized: true,
      ...(serverName !== undefined && { servername: serverName }),
      ...toProxyOptions(proxyUrl),
    });
    this.#https.set(proxyUrl, { fingerprint, agent });
    return agent;
  }

  async #read(signal: AbortSignal): Promise<TlsMaterial> {
    const { caFile, certFile, keyFile } = this.#tls ?? {};
    const read = async (name: string | undefined): Promise<Buffer | undefined> => {
      if (name === undefined) return undefined;
      let bytes: Buffer | undefined;
      try {
        bytes = await readFileWithin(name, { maxBytes: MAX_BYTES, signal });
      } catch (error) {
        throwIfAborted(signal);
        const why = describeFileFailure(error);
        throw new ProvisioningError(
          "CONNECTIVITY_TLS",
          `the certificate file "${name}" could not be read: ${why}`,
          { cause: error, details: { file: name } },
        );
      }
      if (bytes !== undefined) return bytes;
      throw new ProvisioningError(
        "CONNECTIVITY_TLS",
        `the certificate file "${name}" is longer than ${MAX_BYTES} bytes`,
        { details: { file: name, maxBytes: MAX_BYTES } },
      );
    };
    // One after another: a network file system that hangs then keeps one thread of the pool, and not three.
    return { ca: await read(caFile), cert: await read(certFile), key: await read(keyFile) };
  }
}

function toSecureContext(material: TlsMaterial): SecureContext | ProvisioningError {
  try {
    return createSecureContext(material);
  } catch (error) {
    return new ProvisioningError(
      "CONNECTIVITY_TLS",
      "the certificates and the key are not PEM, or do not fit each other",
      {
        cause: error,
      },
    );
  }
}

/** Lets running requests finish (a rotation must not interrupt a watch) but stops the reuse of their connections. */
function retire(agent: HttpsAgent): void {
  agent.maxFreeSockets = 0;
  dropIdle(agent);
}

/** Node's agents choose by `proxyEnv`, whose rules differ from Consul's: it gets only a proxy that is already chosen. */
function toProxyOptions(proxyUrl: string): Pick<AgentOptions, "proxyEnv"> {
  if (proxyUrl === "") return {};
  if (!canUseProxy(process.versions.node)) {
    throw new ProvisioningError(
      "CONNECTIVITY_REFUSED",
      "the environment names a proxy (HTTPS_PROXY or HTTP_PROXY): that needs Node 22.21, 24.5 or newer, or an entry in NO_PROXY",
    );
  }
  return { proxyEnv: { HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl } };
}

/** Whether this version of Node has agents with `proxyEnv`; an older one would ignore it silently. */
export function canUseProxy(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major >= 25 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
}

function toProxyHost(proxyUrl: string): string {
  if (URL.canParse(proxyUrl) && /^https?:/i.test(proxyUrl)) return new URL(proxyUrl).host;
  throw new ProvisioningError(
    "CONNECTIVITY_REFUSED",
    "the proxy that the environment names (HTTPS_PROXY or HTTP_PROXY) is not an http or https URL",
  );
}
