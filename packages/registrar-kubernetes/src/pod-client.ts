import { ProvisioningError, throwIfAborted, type Clock } from "@holdfast/core";
import {
  HttpClient,
  parseJson,
  readPemFile,
  resolveSecret,
  toHttpFailure,
  type HttpPeer,
} from "@holdfast/core/adapter";
import { readNamespace, type PodAddress } from "./pod-address.ts";
import type { PodEnvironment } from "./pod-environment.ts";

const MERGE = "application/merge-patch+json";
/** Merges lists by their keys: conditions by their type. */
const STRATEGIC_MERGE = "application/strategic-merge-patch+json";

/** A pod with its volumes, conditions and annotations. */
const MAX_POD_BYTES = 4_194_304;

export interface PodClientOptions {
  readonly address: PodAddress;
  readonly environment: PodEnvironment;
  readonly clock: Clock;
}

interface PodRequest {
  readonly subresource?: "status";
  readonly contentType?: string;
  readonly payload?: unknown;
}

/**
 * Reads and patches the pod of this process through the API, with its own service account. The token and the certificates
 * are read again for every request, because the kubelet replaces them.
 */
export class PodClient implements Disposable {
  readonly #options: PodClientOptions;
  readonly #http: HttpClient;
  readonly #peer: HttpPeer;

  constructor(options: PodClientOptions) {
    const { server } = options.address;
    this.#options = options;
    this.#http = new HttpClient({ clock: options.clock });
    this.#peer = { name: `the API server at ${server}`, details: { server } };
  }

  /** Returns the pod as parsed JSON. */
  read(signal: AbortSignal): Promise<unknown> {
    return this.#send({}, signal);
  }

  /** Sets labels; `null` removes one. */
  async patchLabels(labels: Readonly<Record<string, string | null>>, signal: AbortSignal): Promise<void> {
    await this.#send({ contentType: MERGE, payload: { metadata: { labels } } }, signal);
  }

  async patchCondition(type: string, isTrue: boolean, signal: AbortSignal): Promise<void> {
    const lastTransitionTime = new Date(this.#options.clock.now()).toISOString();
    const condition = { type, status: isTrue ? "True" : "False", lastTransitionTime };
    const payload = { status: { conditions: [condition] } };
    await this.#send({ subresource: "status", contentType: STRATEGIC_MERGE, payload }, signal);
  }

  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  async #send({ subresource, contentType, payload }: PodRequest, signal: AbortSignal): Promise<unknown> {
    const { address, environment } = this.#options;
    const { server, podName, caFile, token } = address;
    const namespace = address.namespace ?? (await readNamespace(environment, signal));
    const isTls = server.startsWith("https:");
    const authorization = `Bearer ${await resolveSecret(token, { signal, env: environment.env })}`;
    const ca = isTls ? await readPemFile(caFile, signal) : undefined;
    throwIfAborted(signal);
    const path = [
      "namespaces",
      namespace,
      "pods",
      podName,
      ...(subresource === undefined ? [] : [subresource]),
    ];
    using response = await this.#http.send({
      url: new URL(`${server}/api/v1/${path.map(encodeURIComponent).join("/")}`),
      headers: {
        accept: "application/json",
        "user-agent": "holdfast",
        authorization,
        ...(contentType !== undefined && { "content-type": contentType }),
      },
      ...(payload !== undefined && { payload: JSON.stringify(payload), method: "PATCH" }),
      ...(ca !== undefined && { tls: { ca } }),
      peer: this.#peer,
      signal,
    });
    if (response.status !== 200) {
      const pod = `pod "${podName}" in namespace "${namespace}"`;
      const { code, failure } = toHttpFailure(response.status);
      throw new ProvisioningError(code, `${this.#peer.name} ${failure} to a request for the ${pod}`, {
        details: {
          ...response.details,
          pod: podName,
          namespace,
          ...(response.retryAfterMs !== undefined && { retryAfterMs: response.retryAfterMs }),
        },
      });
    }
    response.assertJson();
    const body = parseJson((await response.read({ maxBytes: MAX_POD_BYTES })).toString());
    if (typeof body === "object" && body !== null) return body;
    const message = `the response from ${this.#peer.name} is not a pod`;
    throw new ProvisioningError("STREAM_INVALID_DATA", message, { details: this.#peer.details });
  }
}
