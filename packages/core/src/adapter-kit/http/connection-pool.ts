import { createHash } from "node:crypto";
import type { Agent, AgentOptions } from "node:http";
import type { SecureContext } from "node:tls";
import { ProvisioningError } from "../../errors/provisioning-error.ts";
import { assertProxy, toProxyOptions, type HttpProxy, type ProxyAgentFactories } from "./http-proxy.ts";
import { nodeHttp, nodeHttps, nodeTls } from "./node-http.ts";
import { dropIdle } from "./send-request.ts";

/** What a new TLS connection is made with. Certificates and keys are PEM. */
export interface TlsMaterial {
  /** The certificates to trust. @defaultValue those of Node.js */
  readonly ca?: Buffer | string | undefined;
  readonly cert?: Buffer | string | undefined;
  readonly key?: Buffer | string | undefined;
  /** The name that the server's certificate must have. @defaultValue the host of the URL */
  readonly serverName?: string | undefined;
  /** The server's certificate is not verified. @defaultValue false */
  readonly isInsecure?: boolean | undefined;
}

/** How a server is reached. */
export interface Route {
  readonly isTls: boolean;
  readonly proxy?: HttpProxy | undefined;
  /** Used with TLS only. */
  readonly tls?: TlsMaterial | undefined;
}

interface Kept {
  readonly fingerprint: string;
  readonly agent: Agent;
}

/**
 * Keeps connections alive between requests. A request with other TLS material gets new connections, and the idle ones that were made with
 * the material before are closed. While the material does not fit together, as between the replacement of a certificate and that of its key,
 * the material before remains in use.
 */
export class ConnectionPool implements Disposable {
  readonly #otherProxies: ProxyAgentFactories;
  /** By scheme and proxy. */
  readonly #kept = new Map<string, Kept>();
  #isDisposed = false;

  constructor(otherProxies: ProxyAgentFactories = {}) {
    this.#otherProxies = otherProxies;
  }

  /**
   * Throws `CONNECTIVITY_TLS` when the material cannot be used and there was none before, and `CONNECTIVITY_REFUSED` for a proxy of a kind
   * that is not supported.
   */
  async get({ isTls, proxy, tls = {} }: Route): Promise<Agent> {
    const key = `${isTls ? "https" : "http"} ${proxy?.url ?? ""}`;
    const fingerprint = isTls ? fingerprintOf(tls) : "";
    const known = this.#kept.get(key);
    if (known?.fingerprint === fingerprint) return known.agent;
    const secureContext = isTls ? toSecureContext(tls) : undefined;
    if (secureContext instanceof ProvisioningError) {
      if (known === undefined) throw secureContext;
      return known.agent;
    }
    const agent = await this.#create(isTls, proxy, {
      keepAlive: true,
      ...(secureContext !== undefined && {
        secureContext,
        // Always given, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not turn it off.
        rejectUnauthorized: tls.isInsecure !== true,
        ...(tls.serverName !== undefined && { servername: tls.serverName }),
      }),
    });
    return this.#keep(key, { fingerprint, agent });
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const { agent } of this.#kept.values()) agent.destroy();
  }

  async #create(isTls: boolean, proxy: HttpProxy | undefined, options: AgentOptions): Promise<Agent> {
    if (proxy !== undefined) {
      assertProxy(proxy, this.#otherProxies);
      const create = this.#otherProxies[new URL(proxy.url).protocol];
      if (create !== undefined) return await create(proxy, options);
    }
    const all = { ...options, ...(proxy !== undefined && toProxyOptions(proxy)) };
    return isTls ? new (nodeHttps().Agent)(all) : new (nodeHttp().Agent)(all);
  }

  /** Another request may have made an agent in the meantime, or the pool may have been disposed of. */
  #keep(key: string, made: Kept): Agent {
    const known = this.#kept.get(key);
    if (known?.fingerprint === made.fingerprint || this.#isDisposed) {
      made.agent.destroy();
      if (!this.#isDisposed && known !== undefined) return known.agent;
      throw new ProvisioningError("LIFECYCLE_STOPPED", "the connections were closed");
    }
    if (known !== undefined) retire(known.agent);
    this.#kept.set(key, made);
    return made.agent;
  }
}

/** Lets running requests finish (a rotation must not interrupt a watch) but stops the reuse of their connections. */
function retire(agent: Agent): void {
  agent.maxFreeSockets = 0;
  dropIdle(agent);
}

function fingerprintOf({ ca, cert, key, serverName, isInsecure }: TlsMaterial): string {
  const hash = createHash("sha256");
  for (const part of [ca, cert, key, serverName, String(isInsecure)]) hash.update(part ?? "").update("\0");
  return hash.digest("hex");
}

function toSecureContext({ ca, cert, key }: TlsMaterial): SecureContext | ProvisioningError {
  try {
    return nodeTls().createSecureContext({ ca, cert, key });
  } catch (cause) {
    const message = "the certificates and the key are not PEM, or do not fit each other";
    return new ProvisioningError("CONNECTIVITY_TLS", message, { cause });
  }
}
