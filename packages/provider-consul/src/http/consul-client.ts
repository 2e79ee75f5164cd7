import type { IncomingHttpHeaders } from "node:http";
import {
  createDeadline,
  isProvisioningError,
  ProvisioningError,
  sleep,
  throwIfAborted,
  toProvisioningError,
  whenAborted,
  type Clock,
} from "@holdfast/core";
import { HttpClient, proxyFromEnvironment, readTlsFiles, type HttpProxy } from "@holdfast/core/adapter";
import type { ConsulSettings } from "../consul-params.ts";
import { isAboutCredentials } from "./is-about-credentials.ts";
import { LEADER_PATH, saysNoLeader, toNoLeader } from "./no-leader.ts";
import { readToken } from "./read-token.ts";
import { toMostTelling, type AddressFailure } from "./to-most-telling.ts";
import { toPeer, toRefusalError } from "../to-refusal-error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConsulRequest {
  readonly path: string;
  /** Sent as JSON by POST; a GET without it. Every request only reads, so that it may be repeated. */
  readonly body?: unknown;
  /** Milliseconds from the request to the end of the response. */
  readonly withinMs: number;
  /**
   * Milliseconds without a response after which the server is asked whether it has a leader. One without takes seven seconds to refuse a
   * read; the request fails with `CONNECTIVITY_NO_LEADER` instead. Left out, it is not asked.
   */
  readonly leaderCheckAfterMs?: number | undefined;
  /** Called when a response begins to arrive. */
  readonly onResponse?: (() => void) | undefined;
  readonly signal: AbortSignal;
}

export interface ConsulAnswer {
  readonly address: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** As much of a `ConsulClient` as a watch needs. */
export type ConsulSource = Pick<ConsulClient, "ask" | "askAny" | "prefer" | "untilRenewed">;

/** How often the token is looked at after a refusal. */
const RENEWAL_POLL_MS = 1_000;
/** As much of an error's body as is searched for known phrases. */
const REFUSAL_BYTES = 4_096;

/** Asks one Consul of several, over connections that are kept alive. Every answer is whole, or it is an error. */
export class ConsulClient implements Disposable {
  readonly #params: ConsulSettings;
  readonly #clock: Clock;
  readonly #env: Environment;
  readonly #http: HttpClient;
  readonly #addresses: readonly string[];
  /** Which address answered last. */
  #at = 0;
  /** The token that was read last. */
  #token: string | undefined;

  /** `env` names the proxies. */
  constructor(params: ConsulSettings, clock: Clock, env: Environment = process.env) {
    this.#params = params;
    this.#clock = clock;
    this.#env = env;
    this.#http = new HttpClient({ clock });
    this.#addresses = params.addresses.map((address) => new URL(address).origin);
  }

  /** Asks the address that answered last. */
  ask(request: ConsulRequest): Promise<ConsulAnswer> {
    return this.#ask(this.#addresses[this.#at]!, request);
  }

  /**
   * Asks one address after the other, beginning with the one that answered last, until one gives an answer for which `assert` does not
   * throw. When none does, throws the error that explains most. Credentials that one address refuses are not sent to the next.
   */
  async askAny(request: ConsulRequest, assert?: (answer: ConsulAnswer) => void): Promise<ConsulAnswer> {
    const failures: AddressFailure[] = [];
    for (const _ of this.#addresses) {
      const address = this.#addresses[this.#at]!;
      try {
        const answer = await this.ask(request);
        assert?.(answer);
        return answer;
      } catch (cause) {
        throwIfAborted(request.signal);
        const error = toProvisioningError(cause, "STREAM_FAILED", `asking Consul at ${address} failed`);
        if (isAboutCredentials(error)) throw error;
        failures.push({ address, error });
        this.#at = (this.#at + 1) % this.#addresses.length;
      }
    }
    throw toMostTelling(failures);
  }

  /** Goes on with this address, as if it had answered last. */
  prefer(address: string): void {
    this.#at = Math.max(this.#addresses.indexOf(address), 0);
  }

  /** Resolves once the token is another one than the last that was used; never where there is no token. */
  async untilRenewed(signal: AbortSignal): Promise<void> {
    const { token: reference } = this.#params;
    for (;;) {
      await sleep(RENEWAL_POLL_MS, { clock: this.#clock, signal });
      if (reference === undefined) continue;
      const token = await readToken(reference, signal).catch(() => undefined);
      throwIfAborted(signal);
      if (token !== undefined && token !== this.#token) return;
    }
  }

  /** Closes every connection. */
  [Symbol.dispose](): void {
    this.#http[Symbol.dispose]();
  }

  async #ask(address: string, request: ConsulRequest): Promise<ConsulAnswer> {
    const { withinMs } = request;
    using deadline = createDeadline({
      clock: this.#clock,
      signal: request.signal,
      afterMs: withinMs,
      error: () =>
        new ProvisioningError(
          "CONNECTIVITY_TIMEOUT",
          `Consul at ${address} did not answer within ${withinMs} ms`,
          { details: { address, withinMs } },
        ),
    });
    const { signal } = deadline;
    const { token: reference } = this.#params;
    if (reference === undefined) return await this.#exchange(address, request, undefined, signal);
    const token = (this.#token = await readToken(reference, signal));
    try {
      return await this.#exchange(address, request, token, signal);
    } catch (error) {
      if (!isProvisioningError(error) || !isAboutCredentials(error)) throw error;
      // It may have been rotated just now.
      const renewed = (this.#token = await readToken(reference, signal));
      if (renewed === token) throw error;
      return await this.#exchange(address, request, renewed, signal);
    }
  }

  async #exchange(
    address: string,
    request: ConsulRequest,
    token: string | undefined,
    signal: AbortSignal,
  ): Promise<ConsulAnswer> {
    const url = new URL(request.path, address);
    const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers = {
      accept: "application/json",
      // Only the server itself knows what is true now.
      "cache-control": "no-cache",
      ...(token !== undefined && { "x-consul-token": token }),
      ...(payload !== undefined && { "content-type": "application/json" }),
    };
    const tls = url.protocol === "https:" ? await readTlsFiles(this.#params.tls, signal) : undefined;
    using led = this.#whileLed(address, request, signal);
    const { signal: either } = led;
    const proxy = this.#proxyTo(address);
    using response = await this.#http.send({
      url,
      headers,
      payload,
      proxy,
      tls,
      peer: toPeer(address),
      signal: either,
    });
    led.settle();
    request.onResponse?.();
    if (response.status !== 200) {
      const text = await response.readStart(REFUSAL_BYTES);
      const { status, retryAfterMs } = response;
      throw toRefusalError({ status, text, retryAfterMs, proxy: response.proxy }, address);
    }
    response.assertJson();
    const body = await response.read({ maxBytes: this.#params.maxBytes });
    return { address, headers: response.headers, body };
  }

  #proxyTo(address: string): HttpProxy | undefined {
    const url = proxyFromEnvironment(address, this.#env);
    return url === undefined ? undefined : { url, source: "HTTPS_PROXY or HTTP_PROXY" };
  }

  /**
   * A signal that also aborts once the server turns out to have no leader, until `settle()` is called; see
   * `ConsulRequest.leaderCheckAfterMs`.
   */
  #whileLed(
    address: string,
    { leaderCheckAfterMs, withinMs }: ConsulRequest,
    signal: AbortSignal,
  ): Disposable & { readonly signal: AbortSignal; settle(): void } {
    if (leaderCheckAfterMs === undefined) return { signal, settle() {}, [Symbol.dispose]() {} };
    const led = new AbortController();
    const over = new AbortController();
    const check = async (): Promise<void> => {
      const answer = await this.#ask(address, { path: LEADER_PATH, withinMs, signal: over.signal });
      if (saysNoLeader(answer.body)) led.abort(toNoLeader(address));
    };
    const abort = whenAborted(signal, () => led.abort(signal.reason));
    // The request itself reports what is wrong with the server.
    const timer = this.#clock.schedule(leaderCheckAfterMs, () => void check().catch(() => undefined));
    const settle = (): void => {
      timer[Symbol.dispose]();
      over.abort();
    };
    return {
      signal: led.signal,
      settle,
      [Symbol.dispose]() {
        settle();
        abort[Symbol.dispose]();
      },
    };
  }
}
