import { createHash } from "node:crypto";
import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { ProvisioningError } from "@holdfast/core";
import type { Agent, ProxyAgent } from "undici";

/** What holds the connections to one cluster. */
export type ClusterDispatcher = Agent | ProxyAgent;

/** What a new connection is made with. */
export interface ConnectionMaterial {
  readonly proxyUrl: string | undefined;
  readonly ca: SecureContextOptions["ca"];
  readonly cert: SecureContextOptions["cert"];
  readonly key: SecureContextOptions["key"];
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean | undefined;
}

interface Current {
  readonly fingerprint: string;
  readonly dispatcher: ClusterDispatcher;
}

/**
 * One dispatcher as long as certificates stay the same; their successors get a new one, and the old one is closed. While
 * certificates do not fit each other, as between the files of a pair that is being replaced, the one before stays.
 */
export class DispatcherCache implements AsyncDisposable {
  #current: Current | undefined;
  #isDisposed = false;

  /** Throws `CONNECTIVITY_TLS` when the certificates cannot be used and there were none before. */
  async get(material: ConnectionMaterial): Promise<ClusterDispatcher> {
    const fingerprint = fingerprintOf(material);
    if (this.#current?.fingerprint === fingerprint) return this.#current.dispatcher;
    let secureContext: SecureContext;
    try {
      const { ca, cert, key } = material;
      secureContext = createSecureContext({ ca, cert, key });
    } catch (error) {
      if (this.#current !== undefined) return this.#current.dispatcher;
      throw new ProvisioningError("CONNECTIVITY_TLS", "the certificates cannot be used", { cause: error });
    }
    const dispatcher = await connect(material, secureContext);
    // Another call may have made one in the meantime.
    const before = this.#current;
    if (before?.fingerprint === fingerprint || this.#isDisposed) {
      void dispatcher.destroy();
      if (before?.fingerprint === fingerprint) return before.dispatcher;
      throw new ProvisioningError("LIFECYCLE_STOPPED", "the connections to the cluster were closed");
    }
    this.#current = { fingerprint, dispatcher };
    // What runs on the old one may end by itself.
    void before?.dispatcher.close().catch(() => undefined);
    return dispatcher;
  }

  /** The next request gets new connections; what runs on this dispatcher may end by itself. */
  forget(dispatcher: ClusterDispatcher): void {
    if (this.#current?.dispatcher !== dispatcher) return;
    this.#current = undefined;
    void dispatcher.close().catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    const { dispatcher } = this.#current ?? {};
    this.#current = undefined;
    await dispatcher?.destroy();
  }
}

async function connect(
  { proxyUrl, servername, rejectUnauthorized }: ConnectionMaterial,
  secureContext: SecureContext,
): Promise<ClusterDispatcher> {
  const { Agent: AgentClass, ProxyAgent: ProxyAgentClass } = await import("undici");
  const tls = {
    secureContext,
    ...(servername !== undefined && { servername }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  };
  // A watch is a request that lasts: its time limits are the watch's own.
  const limits = { headersTimeout: 0, bodyTimeout: 0, allowH2: false };
  if (proxyUrl === undefined || proxyUrl === "") return new AgentClass({ ...limits, connect: tls });
  if (/^(?:https?|socks5):/i.test(proxyUrl) && URL.canParse(proxyUrl))
    return new ProxyAgentClass({ ...limits, uri: proxyUrl, requestTls: tls });
  throw new ProvisioningError(
    "CONNECTIVITY_REFUSED",
    "the proxy (proxy-url of the kubeconfig, or HTTPS_PROXY) is not an http, https or socks5 URL",
  );
}

function fingerprintOf(material: ConnectionMaterial): string {
  const hash = createHash("sha256");
  for (const part of Object.values(material)) {
    const bytes =
      typeof part === "string" || part instanceof Uint8Array ? part : JSON.stringify(part ?? null);
    hash.update(bytes).update("\0");
  }
  return hash.digest("hex");
}
