import { createHash } from "node:crypto";
import type { Agent, AgentOptions } from "node:http";
import type { SecureContext } from "node:tls";
import { ProvisioningError } from "../../errors/provisioning-error.ts";
import { assertProxy, toProxyOptions, type HttpProxy, type ProxyAgentFactories } from "./http-proxy.ts";
import { nodeHttp, nodeHttps, nodeTls } from "./node-http.ts";
import { dropIdle } from "./send-request.ts";

/** The certificates and settings for a new TLS connection. Certificates and keys are PEM. */
export interface TlsMaterial {
  /** The trusted certificates. @defaultValue those of Node.js */
  readonly ca?: Buffer | string | undefined;
  readonly cert?: Buffer | string | undefined;
  readonly key?: Buffer | string | undefined;
  /** The name in the certificate of the server. @defaultValue the host of the URL */
  readonly serverName?: string | undefined;
  /** When true, the certificate of the server is not verified. @defaultValue false */
  readonly isInsecure?: boolean | undefined;
}

/** How to connect to a server. */
export interface Route {
  readonly isTls: boolean;
  readonly proxy?: HttpProxy | undefined;
  /** Used only with TLS. */
  readonly tls?: TlsMaterial | undefined;
}

interface PooledAgent {
  readonly fingerprint: string;
  readonly agent: Agent;
}

/**
 * Keeps connections open between requests. A request with other TLS material uses new connections, and idle connections
 * with the previous material are closed. While the material does not match, as between the replacement of a certificate
 * and that of its key, the previous material stays in use.
 */
export class ConnectionPool implements Disposable {
  readonly #otherProxies: ProxyAgentFactories;
  /** The agents by scheme and proxy. */
  readonly #agents = new Map<string, PooledAgent>();
  #isDisposed = false;

  constructor(otherProxies: ProxyAgentFactories = {}) {
    this.#otherProxies = otherProxies;
  }

  /**
   * Returns the agent for a request. Throws `CONNECTIVITY_TLS` when the material cannot be used and there is no
   * previous material, and `CONNECTIVITY_REFUSED` for an unsupported kind of proxy.
   */
  async get({ isTls, proxy, tls = {} }: Route): Promise<Agent> {
    const key = `${isTls ? "https" : "http"} ${proxy?.url ?? ""}`;
    const fingerprint = isTls ? fingerprintOf(tls) : "";
    const known = this.#agents.get(key);
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
        // Always set, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not disable verification.
        rejectUnauthorized: tls.isInsecure !== true,
        ...(tls.serverName !== undefined && { servername: tls.serverName }),
      }),
    });
    return this.#store(key, { fingerprint, agent });
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    for (const { agent } of this.#agents.values()) agent.destroy();
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

  /** Stores an agent. Another request may have created one in the meantime, or the pool may have been disposed of. */
  #store(key: string, created: PooledAgent): Agent {
    const known = this.#agents.get(key);
    if (known?.fingerprint === created.fingerprint || this.#isDisposed) {
      created.agent.destroy();
      if (!this.#isDisposed && known !== undefined) return known.agent;
      throw new ProvisioningError("LIFECYCLE_STOPPED", "the connections were closed");
    }
    if (known !== undefined) retire(known.agent);
    this.#agents.set(key, created);
    return created.agent;
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
