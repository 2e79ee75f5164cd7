import { request as requestHttp, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestHttps } from "node:https";
import {
  collectBytes,
  createDeadline,
  parseRetryAfter,
  ProvisioningError,
  resolveSecret,
  throwIfAborted,
  whenAborted,
  type Clock,
} from "@holdfast/core";
import { ConsulAgents } from "./consul-agents.ts";
import type { ConsulProviderParams } from "./consul-params.ts";
import { toProvisioningError, toRefusalError } from "./to-provisioning-error.ts";

export interface ConsulRequest {
  readonly path: string;
  /** Sent as JSON by POST; a GET without it. */
  readonly body?: unknown;
  /** Milliseconds from the request to the end of the answer. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

export interface ConsulAnswer {
  readonly address: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** As much of a `ConsulClient` as a watch needs. */
export type ConsulSource = Pick<ConsulClient, "ask" | "askAny">;

/** As much of an error's body as is looked at. */
const REFUSAL_BYTES = 4_096;

/** Asks one Consul of several, over connections that are kept alive. Every answer is whole, or it is an error. */
export class ConsulClient implements Disposable {
  readonly #params: ConsulProviderParams;
  readonly #clock: Clock;
  readonly #agents: ConsulAgents;
  readonly #addresses: readonly string[];
  /** Which address answered last. */
  #at = 0;

  constructor(params: ConsulProviderParams, clock: Clock) {
    this.#params = params;
    this.#clock = clock;
    this.#agents = new ConsulAgents(params.tls);
    this.#addresses = params.addresses.map((address) => new URL(address).origin);
  }

  /** Asks the address that answered last. */
  ask(request: ConsulRequest): Promise<ConsulAnswer> {
    return this.#ask(this.#addresses[this.#at]!, request);
  }

  /**
   * Asks one address after the other, beginning with the one that answered last, until one answers with what `assert` does
   * not throw at. When none does, throws the most telling error. Credentials that one refuses are not shown to the next.
   */
  async askAny(request: ConsulRequest, assert?: (answer: ConsulAnswer) => void): Promise<ConsulAnswer> {
    let told: ProvisioningError | undefined;
    for (const _ of this.#addresses) {
      try {
        const answer = await this.ask(request);
        assert?.(answer);
        return answer;
      } catch (error) {
        throwIfAborted(request.signal);
        const failure = toProvisioningError(error, this.#addresses[this.#at]!);
        if (!failure.retryable && failure.code !== "CONNECTIVITY_TLS") throw failure;
        if (told === undefined || told.code === "CONNECTIVITY_REFUSED") told = failure;
        this.#at = (this.#at + 1) % this.#addresses.length;
      }
    }
    throw told!;
  }

  /** Closes every connection. */
  [Symbol.dispose](): void {
    this.#agents[Symbol.dispose]();
  }

  async #ask(address: string, request: ConsulRequest): Promise<ConsulAnswer> {
    const { withinMs } = request;
    using deadline = createDeadline({
      clock: this.#clock,
      signal: request.signal,
      afterMs: withinMs,
      error: () =>
        new ProvisioningError("CONNECTIVITY_TIMEOUT", `Consul at ${address} did not answer in time`, {
          details: { address, withinMs },
        }),
    });
    const { signal } = deadline;
    try {
      const response = await this.#send(address, request, signal);
      using _ = whenAborted(signal, () => response.destroy());
      return await this.#read(address, response);
    } catch (error) {
      throwIfAborted(signal);
      throw toProvisioningError(error, address);
    }
  }

  async #send(address: string, { path, body }: ConsulRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(path, address);
    const { token } = this.#params;
    const headers: Record<string, string> = { accept: "application/json" };
    if (token !== undefined) headers["x-consul-token"] = await resolveSecret(token, { signal });
    const payload = body === undefined ? undefined : JSON.stringify(body);
    if (payload !== undefined) headers["content-type"] = "application/json";
    const agent = await this.#agents.agentFor(url, signal);
    throwIfAborted(signal);
    const options: RequestOptions = { agent, headers, method: payload === undefined ? "GET" : "POST" };
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = (url.protocol === "https:" ? requestHttps : requestHttp)(url, options, resolve);
    // Also after the response has begun: without a listener it would be thrown at the process.
    outgoing.on("error", reject);
    outgoing.end(payload);
    using _ = whenAborted(signal, () => outgoing.destroy());
    return await promise;
  }

  async #read(address: string, response: IncomingMessage): Promise<ConsulAnswer> {
    const { headers, statusCode: status = 0 } = response;
    if (status !== 200) {
      const text = await beginningOf(response);
      const retryAfterMs = parseRetryAfter(headers["retry-after"], this.#clock.now());
      throw toRefusalError({ status, text, retryAfterMs }, address);
    }
    const contentType = headers["content-type"] ?? "";
    if (!/^application\/json\b/i.test(contentType)) {
      response.destroy();
      throw new ProvisioningError(
        "STREAM_INVALID_DATA",
        `what answers at ${address} does not speak Consul's JSON`,
        {
          details: { address, status },
        },
      );
    }
    const { maxBytes } = this.#params;
    const body = await collectBytes(response, { maxBytes });
    assertComplete(response, address);
    return { address, headers, body };
  }
}

/** A connection that is closed in mid-body ends the body as if it were whole; only this tells. */
function assertComplete(response: IncomingMessage, address: string): void {
  if (response.complete) return;
  throw new ProvisioningError("STREAM_FAILED", `the answer of Consul at ${address} was cut off`, {
    details: { address },
  });
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of response as AsyncIterable<Uint8Array>) {
    text += Buffer.from(part).toString("latin1");
    if (text.length >= REFUSAL_BYTES) break;
  }
  return text.slice(0, REFUSAL_BYTES);
}
