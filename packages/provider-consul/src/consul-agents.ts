import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { ProvisioningError, throwIfAborted } from "@holdfast/core";
import type { ConsulTls } from "./consul-params.ts";

/** What a new TLS connection is made with. */
interface TlsMaterial {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/** Keeps connections alive between requests; certificates that were replaced on disk are used from the next request on. */
export class ConsulAgents implements Disposable {
  readonly #tls: ConsulTls | undefined;
  readonly #http: HttpAgent = new HttpAgent({ keepAlive: true });
  #https: { readonly fingerprint: string; readonly agent: HttpsAgent } | undefined;

  constructor(tls: ConsulTls | undefined) {
    this.#tls = tls;
  }

  /** Throws `CONNECTIVITY_TLS` when a certificate file cannot be read. */
  async agentFor(url: URL, signal: AbortSignal): Promise<HttpAgent> {
    if (url.protocol === "http:") return this.#http;
    const material = await this.#read(signal);
    const hash = createHash("sha256");
    for (const part of [material.ca, material.cert, material.key]) hash.update(part ?? "").update("\0");
    const fingerprint = hash.digest("hex");
    if (this.#https?.fingerprint !== fingerprint) {
      this.#https?.agent.destroy();
      const { serverName } = this.#tls ?? {};
      const agent = new HttpsAgent({
        keepAlive: true,
        ...material,
        ...(serverName !== undefined && { servername: serverName }),
      });
      this.#https = { fingerprint, agent };
    }
    return this.#https.agent;
  }

  [Symbol.dispose](): void {
    this.#http.destroy();
    this.#https?.agent.destroy();
  }

  async #read(signal: AbortSignal): Promise<TlsMaterial> {
    const { caFile, certFile, keyFile } = this.#tls ?? {};
    const read = async (name: string | undefined): Promise<Buffer | undefined> => {
      if (name === undefined) return undefined;
      try {
        return await readFile(name, { signal });
      } catch (error) {
        throwIfAborted(signal);
        throw new ProvisioningError("CONNECTIVITY_TLS", `the certificate file "${name}" could not be read`, {
          cause: error,
          details: { file: name },
        });
      }
    };
    const [ca, cert, key] = await Promise.all([read(caFile), read(certFile), read(keyFile)]);
    return { ca, cert, key };
  }
}
