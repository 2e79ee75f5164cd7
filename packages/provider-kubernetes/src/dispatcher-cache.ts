import { createHash } from "node:crypto";
import { ProvisioningError } from "@holdfast/core";
import type { Agent, ProxyAgent } from "undici";

/** What holds the connections to one cluster. */
export type ClusterDispatcher = Agent | ProxyAgent;

/** What a new connection is made with. */
export interface ConnectionMaterial {
  readonly proxyUrl: string | undefined;
  readonly ca: unknown;
  readonly cert: unknown;
  readonly key: unknown;
  readonly servername: string | undefined;
  readonly rejectUnauthorized: boolean | undefined;
}

/** One dispatcher as long as certificates stay the same; their successors get a new one, and the old one is closed. */
export class DispatcherCache implements AsyncDisposable {
  #current: { readonly fingerprint: string; readonly dispatcher: ClusterDispatcher } | undefined;
  #isDisposed = false;

  async get(material: ConnectionMaterial): Promise<ClusterDispatcher> {
    const fingerprint = fingerprintOf(material);
    if (this.#current?.fingerprint === fingerprint) return this.#current.dispatcher;
    const dispatcher = await connect(material);
    // Somebody else may have been here meanwhile.
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

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    const { dispatcher } = this.#current ?? {};
    this.#current = undefined;
    await dispatcher?.destroy();
  }
}

async function connect(material: ConnectionMaterial): Promise<ClusterDispatcher> {
  const { Agent: AgentClass, ProxyAgent: ProxyAgentClass } = await import("undici");
  const { proxyUrl, ...tls } = material;
  const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
  // A watch is a request that lasts: its time limits are the watch's own.
  const limits = { headersTimeout: 0, bodyTimeout: 0, allowH2: false };
  if (proxyUrl === undefined || proxyUrl === "") return new AgentClass({ ...limits, connect: given });
  if (/^https?:/.test(proxyUrl)) return new ProxyAgentClass({ ...limits, uri: proxyUrl, requestTls: given });
  throw new ProvisioningError("CONNECTIVITY_REFUSED", "the kubeconfig's proxy-url is neither http nor https");
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
