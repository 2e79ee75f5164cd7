import {
  createSnapshot,
  isProvisioningError,
  ProvisioningError,
  sleep,
  throwIfAborted,
  whenAborted,
  type ProviderContext,
  type ProviderDescriptor,
  type SourceEvent,
  type Reason,
} from "@holdfast/core";
import { withDetails } from "@holdfast/core/adapter";
import { assertMayRead, assertUnfiltered } from "./acl-check.ts";
import type { ConsulResponse, ConsulSource } from "../http/consul-client.ts";
import type { ConsulSettings } from "../consul-params.ts";
import { isAboutCredentials } from "../http/is-about-credentials.ts";
import { HealthBody } from "./health-body.ts";
import { toHealthPath, toIndexCheckPath, type Consistency } from "./health-query.ts";
import { PollPace } from "./poll-pace.ts";
import { readIndex } from "./read-index.ts";
import { findStaleness, isFromCache, isFromView, readAgeMs } from "./staleness.ts";

export interface ServiceWatchOptions {
  readonly descriptor: ProviderDescriptor<ConsulSettings>;
  readonly context: ProviderContext;
  readonly client: ConsulSource;
  /** The highest index that a watch of this provider has received; updated by each watch. */
  readonly newest: { index: number };
  readonly signal: AbortSignal;
}

/**
 * Consul adds up to one sixteenth to the requested wait (api-docs, "Blocking Queries"). `NETWORK_MS` is added for the
 * network.
 */
const WAIT_STRETCH = 17 / 16;
const NETWORK_MS = 5_000;
/** The minimum time in which a blocking query must begin to deliver a change that an index check has shown. */
const GRACE_MS = 1_000;
/** The time without a response after which one of several addresses is asked whether it has a leader. */
const LEADER_CHECK_MS = 1_000;

/** One watch of a service. Errors after its signal has aborted are ignored. */
export class ServiceWatch {
  readonly #options: ServiceWatchOptions;
  readonly #params: ConsulSettings;
  readonly #stop = new AbortController();
  readonly #body: HealthBody;
  #index = 0;
  /** The response to the last query with `consistent`, whose server has confirmed that it is the leader. */
  #fromLeader: ConsulResponse | undefined;

  constructor(options: ServiceWatchOptions) {
    this.#options = options;
    this.#params = options.descriptor.params;
    this.#body = new HealthBody(this.#params, options.context.clock);
  }

  async *events(): AsyncGenerator<SourceEvent, void> {
    const { signal } = this.#options;
    using _ = whenAborted(signal, () => this.#stop.abort(signal.reason));
    try {
      yield* this.#run();
    } catch (error) {
      if (!isProvisioningError(error)) throw error;
      const { service } = this.#params;
      throw withDetails(error, { service, ...(this.#index > 0 && { index: this.#index }) });
    } finally {
      this.#stop.abort();
    }
  }

  async *#run(): AsyncGenerator<SourceEvent, void> {
    const { clock, random, heartbeatMs } = this.#options.context;
    const pace = new PollPace({ clock, random, heartbeatMs, minGapMs: this.#params.minGapMs });
    let response = await this.#readFromStart();
    for (;;) {
      const startedAt = clock.monotonic();
      const index = readIndex(response, this.#index);
      const event = await this.#toEvent(response, index);
      if (event !== undefined) yield event;
      // Advance only after the consumer has received the event. A consumer that stops here has not received it.
      this.#index = index;
      this.#options.newest.index = index;
      const isChange = event?.type === "snapshot";
      await pace.pause(isChange ? clock.monotonic() - startedAt : undefined, this.#stop.signal);
      pace.startPoll();
      response = yield* this.#poll();
    }
  }

  /**
   * Requests the complete content, independent of the last index, from the first address that responds with current
   * content.
   */
  async #readFromStart(): Promise<ConsulResponse> {
    const { consistency } = this.#params;
    const { context, newest } = this.#options;
    // A leader that has just started may still be reading its log. Without a known index this cannot be detected, so
    // the first query uses `consistent`.
    const first = consistency === "default" && newest.index === 0 ? "consistent" : consistency;
    const response = await this.#requestFromAll(first);
    if (first === "consistent") return response;
    // An older index comes from a server that lags behind or from a new leader, whose content must not be used.
    if (readIndex(response, 0) >= newest.index) return response;
    // After a restart of the server all watches reach this point, so their second queries must be spread over time.
    await this.#waitRandomly(context.heartbeatMs);
    return this.#requestFromAll("consistent");
  }

  /**
   * Prefers an address with current content. If there is none, returns the newest content that may be shown. If all
   * content is too old, sends the request to the leader.
   */
  async #requestFromAll(mode: Consistency): Promise<ConsulResponse> {
    const { client, context } = this.#options;
    const isOnly = this.#params.addresses.length === 1;
    const withinMs = Math.max(context.heartbeatMs * (isOnly ? 2 : 1), 1_000);
    const held: ConsulResponse[] = [];
    const request = {
      path: toHealthPath(this.#params, mode, { index: 0, waitMs: 0 }),
      withinMs,
      // A single address gets more time, in which a new leader may be elected.
      leaderCheckAfterMs: isOnly ? withinMs * 0.75 : Math.min(LEADER_CHECK_MS, withinMs / 4),
      signal: this.#stop.signal,
    };
    try {
      if (mode === "consistent") {
        const response = await client.sendToAny(request);
        this.#fromLeader = isFromCache(response) ? undefined : response;
        return response;
      }
      return await client.sendToAny(request, (response) => this.#assertCurrent(response, held));
    } catch (error) {
      throwIfAborted(this.#stop.signal);
      if (!isProvisioningError(error) || isAboutCredentials(error)) throw error;
      const [best] = held.toSorted(byIndexAndAge);
      if (best === undefined) {
        if (mode === "stale" && error.code === "STREAM_STALE") return this.#requestFromAll("consistent");
        throw error;
      }
      client.prefer(best.address);
      return best;
    }
  }

  /**
   * Throws `STREAM_STALE` for a response that its server cannot confirm as current. Adds it to `held` if it may be
   * shown.
   */
  #assertCurrent(response: ConsulResponse, held: ConsulResponse[]): void {
    const reason = this.#findStaleness(response);
    if (reason === undefined) return;
    held.push(response);
    throw new ProvisioningError(reason.code, reason.message, { details: { ...reason.details } });
  }

  /**
   * Returns the reason when content is not confirmed as current. Throws `STREAM_STALE` for content that is too old to
   * be shown.
   */
  #findStaleness(response: ConsulResponse): Reason | undefined {
    const { maxStaleMs } = this.#params;
    // The next index check detects content of this age, within three heartbeats, which is the health timeout.
    return findStaleness(response, { freshMs: this.#options.context.heartbeatMs * 2, maxStaleMs });
  }

  #waitRandomly(withinMs: number): Promise<void> {
    const { clock, random } = this.#options.context;
    return sleep(random() * withinMs, { clock, signal: this.#stop.signal });
  }

  /**
   * Converts a response to an event. Returns `undefined` for a response that contains no change and confirms nothing.
   */
  async #toEvent(response: ConsulResponse, index: number): Promise<SourceEvent | undefined> {
    const { descriptor, context } = this.#options;
    assertUnfiltered(response, this.#params);
    const held = response === this.#fromLeader ? undefined : this.#findStaleness(response);
    const observedAt = context.clock.now();
    const content = await this.#readBody(response, index);
    if (content === "same") {
      if (held !== undefined) return { type: "held", reason: held };
      return isFromView(response) ? undefined : { type: "heartbeat" };
    }
    if (this.#body.isEmpty) await this.#assertMayRead();
    const ageMs = readAgeMs(response);
    const snapshot = createSnapshot({
      ...content,
      providerId: descriptor.id,
      observedAt,
      revision: String(index),
      ...(ageMs !== undefined &&
        (ageMs > 0 || this.#params.consistency === "stale") && { stalenessMs: ageMs }),
    });
    return { type: "snapshot", snapshot, ...(held !== undefined && { held }) };
  }

  async #readBody({ body, address }: ConsulResponse, index: number): ReturnType<HealthBody["read"]> {
    try {
      return await this.#body.read(body, this.#stop.signal);
    } catch (error) {
      if (!isProvisioningError(error) || error.category !== "stream") throw error;
      throw withDetails(error, { address, index, status: 200 });
    }
  }

  #assertMayRead(): Promise<void> {
    const { client, context } = this.#options;
    const withinMs = context.heartbeatMs * 2;
    return assertMayRead({ client, params: this.#params, withinMs, signal: this.#stop.signal });
  }

  /**
   * Returns the next response: that of a blocking query, with heartbeats while it waits, or that of an address with
   * newer content.
   */
  async *#poll(): AsyncGenerator<SourceEvent, ConsulResponse> {
    const { consistency, waitMs } = this.#params;
    const { client, context } = this.#options;
    const poll = new AbortController();
    using _ = whenAborted(this.#stop.signal, () => poll.abort(this.#stop.signal.reason));
    let hasBegun = false;
    const query = client.send({
      path: toHealthPath(this.#params, consistency, { index: this.#index, waitMs }),
      withinMs: waitMs * WAIT_STRETCH + NETWORK_MS,
      onResponse: () => {
        hasBegun = true;
      },
      signal: poll.signal,
    });
    // When the consumer stops reading, nothing else handles a rejection of the query.
    query.catch(() => undefined);
    try {
      for (;;) {
        const response = await this.#waitFor(query, context.heartbeatMs / 2);
        if (response !== undefined) return response;
        throwIfAborted(this.#stop.signal);
        const check = await this.#checkIndex(query);
        if (check === undefined) continue;
        if (check.index > this.#index) {
          const change = await this.#waitFor(query, Math.max(GRACE_MS, context.heartbeatMs));
          if (change !== undefined) return change;
          throwIfAborted(this.#stop.signal);
          // A long response may take more time. If it stops, the health timeout detects that.
          if (hasBegun) return await query;
          throw toDeadConnection(check, this.#index);
        }
        if (check.held === undefined) yield { type: "heartbeat" };
        else {
          yield { type: "held", reason: check.held };
          if (await this.#findCurrentAddress()) return await this.#readFromStart();
        }
      }
    } finally {
      poll.abort();
    }
  }

  /** Returns true when another address has current content. That address is used from then on. */
  async #findCurrentAddress(): Promise<boolean> {
    const { client, context } = this.#options;
    const { addresses, consistency } = this.#params;
    if (addresses.length === 1) return false;
    const request = {
      path: toIndexCheckPath(this.#params, consistency),
      withinMs: context.heartbeatMs / addresses.length,
      signal: this.#stop.signal,
    };
    try {
      await client.sendToAny(request, (response) => this.#assertCurrent(response, []));
      return true;
    } catch (error) {
      throwIfAborted(this.#stop.signal);
      if (isProvisioningError(error)) return false;
      throw error;
    }
  }

  async #waitFor(query: Promise<ConsulResponse>, ms: number): Promise<ConsulResponse | undefined> {
    // `sleep` is not used, because aborting it creates an error for each response.
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = this.#options.context.clock.schedule(ms, () => resolve(undefined));
    using _ = whenAborted(this.#stop.signal, () => resolve(undefined));
    try {
      return await Promise.race([query, promise]);
    } finally {
      timer[Symbol.dispose]();
    }
  }

  /**
   * Requests the current index of the server. Returns undefined when the response of the blocking query came first, or
   * when no response came in time; the health timeout then detects the silence.
   */
  async #checkIndex(query: Promise<ConsulResponse>): Promise<IndexCheck | undefined> {
    const { client, context } = this.#options;
    const done = new AbortController();
    using _ = whenAborted(this.#stop.signal, () => done.abort());
    const path = toIndexCheckPath(this.#params, this.#params.consistency);
    const request = client.send({ path, withinMs: context.heartbeatMs * 2, signal: done.signal });
    try {
      const response = await Promise.race([request, query.then(() => undefined)]);
      if (response === undefined) return undefined;
      assertUnfiltered(response, this.#params);
      const { address } = response;
      return { address, index: readIndex(response, 0), held: this.#findStaleness(response) };
    } catch (error) {
      if (isProvisioningError(error) && error.code === "CONNECTIVITY_TIMEOUT") return undefined;
      throw error;
    } finally {
      done.abort();
    }
  }
}

/** The result of an index check. */
interface IndexCheck {
  readonly address: string;
  readonly index: number;
  /** The reason why the content may be out of date, if the server cannot confirm it as current. */
  readonly held: Reason | undefined;
}

function toDeadConnection({ address, index }: IndexCheck, known: number): ProvisioningError {
  return new ProvisioningError(
    "STREAM_FAILED",
    `the blocking query to Consul at ${address} did not return a change, so its connection is dead`,
    { details: { address, index: known, seen: index } },
  );
}

/** Sorts the newest first: the highest index, then the lowest age. */
function byIndexAndAge(a: ConsulResponse, b: ConsulResponse): number {
  const isNewer = readIndex(b, 0) - readIndex(a, 0);
  return isNewer || (readAgeMs(a) ?? Number.MAX_VALUE) - (readAgeMs(b) ?? Number.MAX_VALUE);
}
