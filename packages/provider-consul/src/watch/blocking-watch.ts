import {
  isProvisioningError,
  ProvisioningError,
  sleep,
  throwIfAborted,
  whenAborted,
  type ProviderContext,
  type Reason,
} from "@holdfast/core";
import { withDetails } from "@holdfast/core/adapter";
import type { AccessSettings, Consistency } from "../consul-params.ts";
import type { ConsulResponse, ConsulSource } from "../http/consul-client.ts";
import { isAboutCredentials } from "../http/is-about-credentials.ts";
import { PollPace } from "./poll-pace.ts";
import { QueryPoll, type Confirmation } from "./query-poll.ts";
import { readIndex } from "./read-index.ts";
import { findStaleness, isFromCache, isFromView, readAgeMs } from "./staleness.ts";
import { FROM_START, type WatchedQuery } from "./watched-query.ts";

/** A change, or the first content of a watch. */
export interface ReceivedContent<C> {
  readonly type: "content";
  readonly content: C;
  readonly index: number;
  /** The wall-clock time at which the response arrived. */
  readonly observedAt: number;
  /** The age of the content in milliseconds, if the server reported it; see `readAgeMs`. */
  readonly ageMs: number | undefined;
  /** The reason why the content may be out of date, if the server cannot confirm it as current. */
  readonly held: Reason | undefined;
  /** True when an earlier watch has received a higher index: the servers were set up again from nothing. */
  readonly isReset: boolean;
}

export interface BlockingWatchOptions<C> {
  readonly query: WatchedQuery<C>;
  readonly settings: AccessSettings;
  readonly context: ProviderContext;
  readonly client: ConsulSource;
  /** The highest index that a watch of this user has received; updated by each watch. */
  readonly newest: { index: number };
  readonly signal: AbortSignal;
}

/** The time without a response after which one of several addresses is asked whether it has a leader. */
const LEADER_CHECK_MS = 1_000;

/** One watch of a query. Errors after its signal has aborted are ignored. */
export class BlockingWatch<C> {
  readonly #options: BlockingWatchOptions<C>;
  readonly #stop = new AbortController();
  #index = 0;
  /** The response to the last query with `consistent`, whose server has confirmed that it is the leader. */
  #fromLeader: ConsulResponse | undefined;

  constructor(options: BlockingWatchOptions<C>) {
    this.#options = options;
  }

  async *events(): AsyncGenerator<ReceivedContent<C> | Confirmation, void> {
    const { client, query, signal } = this.#options;
    using scope = new DisposableStack();
    scope.use(whenAborted(signal, () => this.#stop.abort(signal.reason)));
    scope.use(client.activate());
    try {
      yield* this.#run();
    } catch (error) {
      if (!isProvisioningError(error)) throw error;
      throw withDetails(error, { ...query.details, ...(this.#index > 0 && { index: this.#index }) });
    } finally {
      this.#stop.abort();
    }
  }

  async *#run(): AsyncGenerator<ReceivedContent<C> | Confirmation, void> {
    const { context, settings, newest } = this.#options;
    const { clock, random, heartbeatMs } = context;
    const pace = new PollPace({ clock, random, heartbeatMs, minGapMs: settings.minGapMs });
    using poll = this.#createPoll();
    let response = await this.#readFromStart();
    for (;;) {
      const startedAt = clock.monotonic();
      const index = readIndex(response, this.#index);
      const event = await this.#toEvent(response, index);
      if (event !== undefined) yield event;
      const isChange = event?.type === "content";
      if (isChange && this.#index > 0) poll.markChanged();
      // Advance only after the consumer has received the event. A consumer that stops here has not received it.
      this.#index = index;
      newest.index = index;
      await pace.pause(isChange ? clock.monotonic() - startedAt : undefined, this.#stop.signal);
      pace.startPoll();
      response =
        (yield* poll.next({ index, address: response.address, epoch: response.epoch })) ??
        (await this.#readFromStart());
    }
  }

  #createPoll(): QueryPoll {
    return new QueryPoll({
      ...this.#options,
      findStaleness: (response) => this.#findStaleness(response),
      findCurrentAddress: () => this.#findCurrentAddress(),
      signal: this.#stop.signal,
    });
  }

  /**
   * Requests the complete content, independent of the last index, from the first address that responds with current
   * content.
   */
  async #readFromStart(): Promise<ConsulResponse> {
    const { context, newest, settings } = this.#options;
    const { consistency } = settings;
    // A leader that has just started may still be reading its log. Without a known index this cannot be detected, so
    // the first query uses `consistent`.
    const first = consistency === "default" && newest.index === 0 ? "consistent" : consistency;
    const response = await this.#open(first);
    if (first === "consistent") return response;
    // An older index comes from a server that lags behind or from a new leader, whose content must not be used.
    if (readIndex(response, 0) >= newest.index) return response;
    // After a restart of the server all watches reach this point, so their second queries must be spread over time.
    await this.#waitRandomly(context.heartbeatMs);
    return this.#open("consistent");
  }

  #open(mode: Consistency): Promise<ConsulResponse> {
    return this.#options.client.open(() => this.#requestFromAll(mode), this.#stop.signal);
  }

  /**
   * Prefers an address with current content. If there is none, returns the newest content that may be shown. If all
   * content is too old, sends the request to the leader.
   */
  async #requestFromAll(mode: Consistency): Promise<ConsulResponse> {
    const { client, context, query, settings } = this.#options;
    const isOnly = settings.addresses.length === 1;
    const withinMs = Math.max(context.heartbeatMs * (isOnly ? 2 : 1), 1_000);
    const held: ConsulResponse[] = [];
    const request = {
      path: query.toPath(mode, FROM_START),
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
    const { context, settings } = this.#options;
    // The next index check detects content of this age, within three heartbeats, which is the health timeout.
    return findStaleness(response, { freshMs: context.heartbeatMs * 2, maxStaleMs: settings.maxStaleMs });
  }

  #waitRandomly(withinMs: number): Promise<void> {
    const { clock, random } = this.#options.context;
    return sleep(random() * withinMs, { clock, signal: this.#stop.signal });
  }

  /**
   * Converts a response to an event. Returns `undefined` for a response that contains no change and confirms nothing.
   */
  async #toEvent(
    response: ConsulResponse,
    index: number,
  ): Promise<ReceivedContent<C> | Confirmation | undefined> {
    const { context, newest, query } = this.#options;
    await query.assertComplete(response);
    const held = response === this.#fromLeader ? undefined : this.#findStaleness(response);
    const observedAt = context.clock.now();
    const content = await this.#read(response, index);
    if (content === "same") {
      if (held !== undefined) return { type: "held", reason: held };
      return isFromView(response) ? undefined : { type: "heartbeat" };
    }
    await query.assertPermitted();
    const isReset = index < newest.index;
    return { type: "content", content, index, observedAt, ageMs: readAgeMs(response), held, isReset };
  }

  async #read(response: ConsulResponse, index: number): Promise<C | "same"> {
    try {
      return await this.#options.query.read(response);
    } catch (error) {
      if (!isProvisioningError(error) || error.category !== "stream") throw error;
      throw withDetails(error, { address: response.address, index, status: 200 });
    }
  }

  /** Returns true when another address has current content. That address is used from then on. */
  async #findCurrentAddress(): Promise<boolean> {
    const { client, context, query, settings } = this.#options;
    const { addresses, consistency, datacenter } = settings;
    if (addresses.length === 1) return false;
    const path = query.toCheckPath(consistency, FROM_START);
    const withinMs = context.heartbeatMs / addresses.length;
    try {
      // Whether a server has had contact with its leader does not depend on the service, so one user asks for all.
      await client.once(
        JSON.stringify(["current address", datacenter ?? null, consistency, context.heartbeatMs]),
        (signal) =>
          client.sendToAny({ path, withinMs, signal }, (response) => this.#assertCurrent(response, [])),
        this.#stop.signal,
      );
      return true;
    } catch (error) {
      throwIfAborted(this.#stop.signal);
      if (isProvisioningError(error)) return false;
      throw error;
    }
  }
}

/** Sorts the newest first: the highest index, then the lowest age. */
function byIndexAndAge(a: ConsulResponse, b: ConsulResponse): number {
  const isNewer = readIndex(b, 0) - readIndex(a, 0);
  return isNewer || (readAgeMs(a) ?? Number.MAX_VALUE) - (readAgeMs(b) ?? Number.MAX_VALUE);
}
