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
import { LEADER_PATH, reportsNoLeader, toNoLeader } from "./no-leader.ts";
import { readToken } from "./read-token.ts";
import { selectFailure, type AddressFailure } from "./select-failure.ts";
import { toPeer, toRefusalError } from "../to-refusal-error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConsulRequest {
  readonly path: string;
  /** Sent as JSON with POST. Without a body the method is GET. All requests only read data, so they may be repeated. */
  readonly body?: unknown;
  /** The maximum time from the request to the end of the response, in milliseconds. */
  readonly withinMs: number;
  /**
   * The time without a response, in milliseconds, after which the client asks the server whether it has a leader. A
   * server without a leader takes seven seconds to reject a read; with this check the request fails earlier, with
   * `CONNECTIVITY_NO_LEADER`. If it is left out, there is no check.
   */
  readonly leaderCheckAfterMs?: number | undefined;
  /** Called when the headers of a response have arrived. */
  readonly onResponse?: (() => void) | undefined;
  readonly signal: AbortSignal;
}

export interface ConsulResponse {
  readonly address: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The part of a `ConsulClient` that a watch needs. */
export type ConsulSource = Pick<ConsulClient, "send" | "sendToAny" | "prefer" | "untilRenewed">;

/** How often the token is read again after it was rejected. */
const RENEWAL_POLL_MS = 1_000;
/** The number of bytes of an error's body that are searched for known phrases. */
const REFUSAL_BYTES = 4_096;

/**
 * Sends requests to one of several Consul addresses, with connections that are kept open. A response is complete, or
 * there is an error.
 */
export class ConsulClient implements Disposable {
  readonly #params: ConsulSettings;
  readonly #clock: Clock;
  readonly #env: Environment;
  readonly #http: HttpClient;
  readonly #addresses: readonly string[];
  /** The index of the address that responded last. */
  #at = 0;
  /** The token that was read last. */
  #token: string | undefined;

  /** `env` contains the variables that name proxies. */
  constructor(params: ConsulSettings, clock: Clock, env: Environment = process.env) {
    this.#params = params;
    this.#clock = clock;
    this.#env = env;
    this.#http = new HttpClient({ clock });
    this.#addresses = params.addresses.map((address) => new URL(address).origin);
  }

  /** Sends a request to the address that responded last. */
  send(request: ConsulRequest): Promise<ConsulResponse> {
    return this.#sendTo(this.#addresses[this.#at]!, request);
  }

  /**
   * Sends a request to one address after the other, starting with the one that responded last, until one returns a
   * response for which `assert` does not throw. If there is none, throws the error that explains the failure best.
   * Credentials that one address rejects are not sent to the next.
   */
  async sendToAny(
    request: ConsulRequest,
    assert?: (response: ConsulResponse) => void,
  ): Promise<ConsulResponse> {
    const failures: AddressFailure[] = [];
    for (const _ of this.#addresses) {
      const address = this.#addresses[this.#at]!;
      try {
        const response = await this.send(request);
        assert?.(response);
        return response;
      } catch (cause) {
        throwIfAborted(request.signal);
        const error = toProvisioningError(
          cause,
          "STREAM_FAILED",
          `the request to Consul at ${address} failed`,
        );
        if (isAboutCredentials(error)) throw error;
        failures.push({ address, error });
        this.#at = (this.#at + 1) % this.#addresses.length;
      }
    }
    throw selectFailure(failures);
  }

  /** Uses this address for the next request, as if it had responded last. */
  prefer(address: string): void {
    this.#at = Math.max(this.#addresses.indexOf(address), 0);
  }

  /** Resolves when the token differs from the one that was used last. Never resolves when no token is configured. */
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

  async #sendTo(address: string, request: ConsulRequest): Promise<ConsulResponse> {
    const { withinMs } = request;
    using deadline = createDeadline({
      clock: this.#clock,
      signal: request.signal,
      afterMs: withinMs,
      error: () =>
        new ProvisioningError(
          "CONNECTIVITY_TIMEOUT",
          `Consul at ${address} did not respond within ${withinMs} ms`,
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
      // The token may just have been rotated.
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
  ): Promise<ConsulResponse> {
    const url = new URL(request.path, address);
    const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers = {
      accept: "application/json",
      // A cache on the way must not respond, because only the server has current data.
      "cache-control": "no-cache",
      ...(token !== undefined && { "x-consul-token": token }),
      ...(payload !== undefined && { "content-type": "application/json" }),
    };
    const tls = url.protocol === "https:" ? await readTlsFiles(this.#params.tls, signal) : undefined;
    using leaderWait = this.#whileLed(address, request, signal);
    const { signal: either } = leaderWait;
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
    leaderWait.settle();
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
   * Returns a signal that also aborts when the server reports that it has no leader, until `settle()` is called; see
   * `ConsulRequest.leaderCheckAfterMs`.
   */
  #whileLed(
    address: string,
    { leaderCheckAfterMs, withinMs }: ConsulRequest,
    signal: AbortSignal,
  ): Disposable & { readonly signal: AbortSignal; settle(): void } {
    if (leaderCheckAfterMs === undefined) return { signal, settle() {}, [Symbol.dispose]() {} };
    const leaderWait = new AbortController();
    const done = new AbortController();
    const check = async (): Promise<void> => {
      const response = await this.#sendTo(address, { path: LEADER_PATH, withinMs, signal: done.signal });
      if (reportsNoLeader(response.body)) leaderWait.abort(toNoLeader(address));
    };
    const abort = whenAborted(signal, () => leaderWait.abort(signal.reason));
    // Errors of the check are ignored, because the request itself reports the failure.
    const timer = this.#clock.schedule(leaderCheckAfterMs, () => void check().catch(() => undefined));
    const settle = (): void => {
      timer[Symbol.dispose]();
      done.abort();
    };
    return {
      signal: leaderWait.signal,
      settle,
      [Symbol.dispose]() {
        settle();
        abort[Symbol.dispose]();
      },
    };
  }
}
