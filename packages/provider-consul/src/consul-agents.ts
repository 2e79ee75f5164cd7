import { createHash } from "node:crypto";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { createSecureContext, type SecureContext } from "node:tls";
import { describeFileFailure, ProvisioningError, readFileWithin, throwIfAborted } from "@holdfast/core";
import type { ConsulTls } from "./consul-params.ts";

/** Bundles of every public authority are a tenth of it. */
const MAX_BYTES = 4_194_304;

/** What a new TLS connection is made with. */
interface TlsMaterial {
  readonly ca?: Buffer | undefined;
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

/**
 * Keeps connections alive between requests. Certificates that were replaced on disk are used from the next request on; until
 * all of them are, and fit each other again, the old ones go on being used.
 */
export class ConsulAgents implements Disposable {
  readonly #tls: ConsulTls | undefined;
  readonly #http: HttpAgent = new HttpAgent({ keepAlive: true });
  #https: { readonly fingerprint: string; readonly agent: HttpsAgent } | undefined;

  constructor(tls: ConsulTls | undefined) {
    this.#tls = tls;
  }

  /** Throws `CONNECTIVITY_TLS` when a certificate file cannot be read, and when there never were any that fit each other. */
  async agentFor(url: URL, signal: AbortSignal): Promise<HttpAgent> {
    if (url.protocol === "http:") return this.#http;
    const material = await this.#read(signal);
    const hash = createHash("sha256");
    for (const part of [material.ca, material.cert, material.key]) hash.update(part ?? "").update("\0");
    const fingerprint = hash.digest("hex");
    if (this.#https?.fingerprint === fingerprint) return this.#https.agent;
    const secureContext = toSecureContext(material);
    if (secureContext instanceof ProvisioningError) {
      if (this.#https === undefined) throw secureContext;
      return this.#https.agent;
    }
    retire(this.#https?.agent);
    const { serverName } = this.#tls ?? {};
    const agent = new HttpsAgent({
      keepAlive: true,
      secureContext,
      ...(serverName !== undefined && { servername: serverName }),
    });
    this.#https = { fingerprint, agent };
    return agent;
  }

  [Symbol.dispose](): void {
    this.#http.destroy();
    this.#https?.agent.destroy();
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
      "the certificates and the key are no PEM, or do not fit each other",
      {
        cause: error,
      },
    );
  }
}

/** What is under way ends by itself, so that new certificates interrupt no watch; nothing is kept for later. */
function retire(agent: HttpsAgent | undefined): void {
  if (agent === undefined) return;
  agent.maxFreeSockets = 0;
  for (const sockets of Object.values(agent.freeSockets))
    for (const socket of sockets ?? []) socket.destroy();
}
