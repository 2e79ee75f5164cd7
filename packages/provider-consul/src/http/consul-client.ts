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
import { proxyFromEnvironment, readTlsFiles, type HttpProxy } from "@holdfast/core/adapter";
import type { ConsulAgent } from "../agent/consul-agent.ts";
import type { Openings } from "../agent/openings.ts";
import type { QuerySlots } from "../agent/query-slots.ts";
import type { AccessSettings } from "../consul-params.ts";
import { isAboutCredentials } from "./is-about-credentials.ts";
import { LEADER_PATH, reportsNoLeader, toNoLeader } from "./no-leader.ts";
import { readToken } from "./read-token.ts";
import { selectFailure, type AddressFailure } from "./select-failure.ts";
import { toPeer, toRefusalError } from "../to-refusal-error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConsulRequest {
  readonly path: string;
  /** The address to send it to. @defaultValue the address that responded last */
  readonly address?: string | undefined;
  /**
   * True for a blocking query, for which the caller holds a slot. Other requests wait until few enough of them are
   * running; this time does not count towards `withinMs`. @defaultValue false
   */
  readonly holdsSlot?: boolean | undefined;
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
  /** The epoch of the address when the request was sent; see `ConsulAgent.epochOf`. */
  readonly epoch: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The part of a `ConsulClient` that a watch needs. */
export type ConsulSource = Pick<
  ConsulClient,
  "slots" | "activate" | "epochOf" | "open" | "once" | "send" | "sendToAny" | "prefer" | "untilRenewed"
>;

export interface ConsulClientOptions {
  readonly agent: ConsulAgent;
  readonly settings: AccessSettings;
  readonly clock: Clock;
  /** The variables that name proxies. @defaultValue process.env */
  readonly env?: Environment | undefined;
}

/** How often the token is read again after it was rejected. */
const RENEWAL_POLL_MS = 1_000;
/** The number of bytes of an error's body that are searched for known phrases. */
const REFUSAL_BYTES = 4_096;

/**
 * Sends the requests of one user, with its token, through the agent that it shares with others. A response is complete, or
 * there is an error.
 */
export class ConsulClient {
  readonly #agent: ConsulAgent;
  readonly #settings: AccessSettings;
  readonly #clock: Clock;
  readonly #env: Environment;
  readonly #openings: Openings;
  /** The token that was read last. */
  #token: string | undefined;

  constructor({ agent, settings, clock, env = process.env }: ConsulClientOptions) {
    this.#agent = agent;
    this.#settings = settings;
    this.#clock = clock;
    this.#env = env;
    // Another datacenter may have no leader while this one has; and stale reads need no leader.
    this.#openings = agent.openings(JSON.stringify([settings.datacenter ?? null, settings.consistency]));
  }

  get slots(): QuerySlots {
    return this.#agent.slots;
  }

  /** Keeps the connections open until the result is disposed of. */
  activate(): Disposable {
    return this.#agent.activate();
  }

  /** Returns a number that changes when a connection to the address breaks. */
  epochOf(address: string): number {
    return this.#agent.epochOf(address);
  }

  /** Runs the first requests of a watch or a probe, see `Openings`. */
  open<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#openings.run(work, signal);
  }

  /** Runs a call, or joins the running call of another user with the same key and token. */
  once<T>(key: string, call: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#agent.shared.run(JSON.stringify([this.#settings.token ?? null, key]), call, signal);
  }

  /** Sends a request to its address. */
  send(request: ConsulRequest): Promise<ConsulResponse> {
    return this.#sendTo(request.address ?? this.#agent.addressesInTurn[0]!, request);
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
    for (const address of this.#agent.addressesInTurn) {
      try {
        const response = await this.#sendTo(address, request);
        assert?.(response);
        this.prefer(address);
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
      }
    }
    throw selectFailure(failures);
  }

  /** Uses this address for the next request, as if it had responded last. */
  prefer(address: string): void {
    this.#agent.prefer(address);
  }

  /** Resolves when the token differs from the one that was used last. Never resolves when no token is configured. */
  async untilRenewed(signal: AbortSignal): Promise<void> {
    const { token: reference } = this.#settings;
    for (;;) {
      await sleep(RENEWAL_POLL_MS, { clock: this.#clock, signal });
      if (reference === undefined) continue;
      const token = await readToken(reference, signal).catch(() => undefined);
      throwIfAborted(signal);
      if (token !== undefined && token !== this.#token) return;
    }
  }

  async #sendTo(address: string, request: ConsulRequest): Promise<ConsulResponse> {
    const { withinMs } = request;
    using _ = request.holdsSlot === true ? undefined : await this.#agent.lane.enter(request.signal);
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
    try {
      return await this.#authenticate(address, request, deadline.signal);
    } catch (error) {
      if (!request.signal.aborted) this.#agent.noteFailure(address, error);
      throw error;
    }
  }

  /** Sends the request with the token. If it is rejected and was replaced in the meantime, sends the request with the new one. */
  async #authenticate(address: string, request: ConsulRequest, signal: AbortSignal): Promise<ConsulResponse> {
    const { token: reference } = this.#settings;
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
    const epoch = this.epochOf(address);
    const url = new URL(request.path, address);
    const payload = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers = {
      accept: "application/json",
      // A cache on the way must not respond, because only the server has current data.
      "cache-control": "no-cache",
      ...(token !== undefined && { "x-consul-token": token }),
      ...(payload !== undefined && { "content-type": "application/json" }),
    };
    const tls = url.protocol === "https:" ? await readTlsFiles(this.#settings.tls, signal) : undefined;
    using leaderWait = this.#whileLed(address, request, signal);
    const { signal: either } = leaderWait;
    const proxy = this.#proxyTo(address);
    using response = await this.#agent.send({
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
    // Only these responses show that the agent can read: it also responds when it has no leader.
    if (response.headers["x-consul-index"] !== undefined) this.#openings.answered();
    response.assertJson();
    const body = await response.read({ maxBytes: this.#settings.maxBytes });
    return { address, epoch, headers: response.headers, body };
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
      // It must not wait for the requests that it is about.
      const ask = (shared: AbortSignal) =>
        this.#sendTo(address, { path: LEADER_PATH, holdsSlot: true, withinMs, signal: shared });
      const response = await this.once(`leader ${address}`, ask, done.signal);
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
