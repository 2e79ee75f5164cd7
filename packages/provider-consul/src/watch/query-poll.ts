import {
  isProvisioningError,
  ProvisioningError,
  throwIfAborted,
  whenAborted,
  type ProviderContext,
  type Reason,
} from "@holdfast/core";
import type { OwnSlot } from "../agent/own-slots.ts";
import type { SlotUser } from "../agent/query-slots.ts";
import type { AccessSettings, Consistency } from "../consul-params.ts";
import type { ConsulResponse, ConsulSource } from "../http/consul-client.ts";
import { PollPace } from "./poll-pace.ts";
import { readIndex } from "./read-index.ts";
import { isFromView } from "./staleness.ts";
import { FROM_START, type BlockingPosition, type WatchedQuery } from "./watched-query.ts";

/** What the server confirms about the last content while there is no change. */
export type Confirmation =
  | { readonly type: "heartbeat" }
  | { readonly type: "held"; readonly reason: Reason };

export interface QueryPollOptions {
  readonly query: Pick<WatchedQuery<unknown>, "toPath" | "toCheckPath" | "assertComplete">;
  readonly settings: AccessSettings;
  readonly client: ConsulSource;
  readonly context: ProviderContext;
  /** Returns the reason when the content of a response is not confirmed as current; see `staleness.ts`. */
  readonly findStaleness: (response: ConsulResponse) => Reason | undefined;
  /** Returns true when another address has current content. That address is used from then on. */
  readonly findCurrentAddress: () => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** The content whose changes a poll waits for. */
export interface KnownContent {
  readonly index: number;
  /** The address that sent it, and its epoch. */
  readonly address: string;
  readonly epoch: number;
}

/** The result of an index check. */
interface IndexCheck {
  readonly response: ConsulResponse;
  readonly index: number;
  /** The reason why the content may be out of date, if the server cannot confirm it as current. */
  readonly held: Reason | undefined;
}

/** The response to a turn: the complete content after a change, or what the index check showed. Neither if nothing is confirmed. */
interface TurnResult {
  readonly response?: ConsulResponse;
  readonly check?: IndexCheck;
}

interface IndexCheckOptions {
  readonly consistency: Consistency;
  readonly position: BlockingPosition;
  readonly holdsSlot: boolean;
  readonly withinMs: number;
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

/**
 * Waits for the next change of a query. While the agent has a free slot, one blocking query waits, and index checks confirm
 * the content in the meantime. Otherwise the index check itself is a blocking query that waits briefly, when it is the turn
 * of this watch.
 */
export class QueryPoll implements Disposable {
  readonly #options: QueryPollOptions;
  readonly #slots: SlotUser;
  readonly #pace: PollPace;
  #known: KnownContent = { index: 0, address: "", epoch: 0 };

  constructor(options: QueryPollOptions) {
    const { client, context, settings } = options;
    const { clock, random, heartbeatMs } = context;
    this.#options = options;
    this.#slots = client.slots.join(heartbeatMs / 2);
    this.#pace = new PollPace({ clock, random, heartbeatMs, minGapMs: settings.minGapMs });
  }

  /** Reports that the content has changed: such watches are the first to get a blocking query of their own. */
  markChanged(): void {
    this.#slots.markChanged(this.#options.context.clock.monotonic());
  }

  /**
   * Yields what the server confirms while there is no change. Returns the next response; `undefined` when the content must be read
   * from the start: another address has current content, or the index may come from another server than before.
   */
  async *next(known: KnownContent): AsyncGenerator<Confirmation, ConsulResponse | undefined> {
    const { settings, signal } = this.#options;
    this.#known = known;
    for (;;) {
      throwIfAborted(signal);
      // A query that waits notices by itself when its connection breaks.
      if (this.#isOtherServer()) return undefined;
      const own = this.#slots.takeOwn(settings.waitMs * WAIT_STRETCH);
      if (own !== undefined) return yield* this.#waitWithOwnQuery(own);
      const { response, check, isEarly } = await this.#takeTurn();
      if (response !== undefined) return response;
      if (check !== undefined) {
        yield toConfirmation(check);
        if (check.held !== undefined && (await this.#options.findCurrentAddress())) return undefined;
      }
      if (isEarly) await this.#pace.pause(undefined, signal);
    }
  }

  [Symbol.dispose](): void {
    this.#slots[Symbol.dispose]();
  }

  async *#waitWithOwnQuery(own: OwnSlot): AsyncGenerator<Confirmation, ConsulResponse | undefined> {
    using slot = own;
    const { context, settings, findCurrentAddress, signal } = this.#options;
    const poll = new AbortController();
    using _ = whenAborted(signal, () => poll.abort(signal.reason));
    let hasBegun = false;
    const query = this.#sendQuery(settings.waitMs, poll.signal, () => {
      hasBegun = true;
    });
    const settle = () => {
      if (!poll.signal.aborted) slot.settle();
    };
    // When the consumer stops reading, nothing else handles a rejection of the query.
    query.then(settle, settle);
    try {
      for (;;) {
        const response = await this.#waitFor(query, context.heartbeatMs / 2);
        if (response !== undefined) return response;
        throwIfAborted(signal);
        const found = await this.#checkDuring(query, settings.consistency);
        if (found !== undefined && found.index > this.#known.index) {
          const change = await this.#waitFor(query, this.#graceMs);
          if (change !== undefined) return change;
          throwIfAborted(signal);
          // A long response may take more time. If it stops, the health timeout detects that.
          if (hasBegun) return await query;
          throw this.#toDeadConnection(found);
        }
        const check = found && (await this.#verify(found, (verify) => this.#checkDuring(query, verify)));
        if (check === undefined) continue;
        yield toConfirmation(check);
        if (check.held !== undefined && (await findCurrentAddress())) return undefined;
      }
    } finally {
      poll.abort();
    }
  }

  /** Waits for the turn of this watch, and then for a change. The turn ends before the consumer gets the result. */
  async #takeTurn(): Promise<TurnResult & { readonly isEarly: boolean }> {
    const { context, signal } = this.#options;
    using turn = await this.#slots.takeTurn({ address: this.#known.address, signal });
    const startedAt = context.clock.monotonic();
    this.#pace.startPoll();
    // A connection may have broken while this watch had none.
    const result = this.#isOtherServer() ? {} : await this.#useTurn(turn.waitMs);
    return { ...result, isEarly: context.clock.monotonic() - startedAt < turn.waitMs / 2 };
  }

  async #useTurn(waitMs: number): Promise<TurnResult> {
    const { settings, signal } = this.#options;
    const { index } = this.#known;
    const check = await this.#checkInTurn({ index, waitMs }, settings.consistency);
    if (check === undefined) return {};
    if (check.index <= index) {
      const verified = await this.#verify(check, (verify) => this.#checkInTurn(FROM_START, verify));
      return verified === undefined ? {} : { check: verified };
    }
    const response = await this.#sendQuery(Math.round(this.#graceMs), signal);
    if (readIndex(response, index) > index) return { response };
    throw this.#toDeadConnection(check);
  }

  /**
   * Returns a check that confirms the content or reports why it is held; `undefined` when it does neither. A lower index comes from a
   * server that is behind, or from servers that have lost their data while this watch had no open connection. The leader decides: throws
   * `STREAM_INDEX_ROLLBACK` if its index is lower, too.
   */
  async #verify(
    check: IndexCheck,
    askLeader: (consistency: Consistency) => Promise<IndexCheck | undefined>,
  ): Promise<IndexCheck | undefined> {
    const { index } = this.#known;
    if (check.index === index || check.held !== undefined) return check;
    try {
      const verified = await askLeader("consistent");
      if (verified !== undefined) readIndex(verified.response, index);
      return undefined;
    } catch (error) {
      // Without a leader nothing is confirmed, and nothing is known to be lost.
      if (isProvisioningError(error) && error.code === "CONNECTIVITY_NO_LEADER") return undefined;
      throw error;
    }
  }

  async #checkInTurn(position: BlockingPosition, consistency: Consistency): Promise<IndexCheck | undefined> {
    const { client, context, signal } = this.#options;
    const { address, index } = this.#known;
    const withinMs = position.waitMs * WAIT_STRETCH + context.heartbeatMs;
    const options = { consistency, position, holdsSlot: true, withinMs, signal };
    try {
      const check = await this.#checkIndex(options);
      // The local view of a streaming agent confirms nothing. It does not respond to queries that do not wait.
      if (check === undefined || check.index !== index || !isFromView(check.response)) return check;
      return await this.#checkIndex({ ...options, position: FROM_START });
    } catch (error) {
      if (isRefused(error)) client.slots.fail(address, error);
      throw error;
    }
  }

  /** Whether a connection to the address has broken since the content was requested. */
  #isOtherServer(): boolean {
    const { address, epoch } = this.#known;
    return this.#options.client.epochOf(address) !== epoch;
  }

  #sendQuery(waitMs: number, signal: AbortSignal, onResponse?: () => void): Promise<ConsulResponse> {
    const { query, settings, client } = this.#options;
    const { index, address } = this.#known;
    return client.send({
      path: query.toPath(settings.consistency, { index, waitMs }),
      address,
      holdsSlot: true,
      withinMs: waitMs * WAIT_STRETCH + NETWORK_MS,
      onResponse,
      signal,
    });
  }

  get #graceMs(): number {
    return Math.max(GRACE_MS, this.#options.context.heartbeatMs);
  }

  async #waitFor(query: Promise<ConsulResponse>, ms: number): Promise<ConsulResponse | undefined> {
    // `sleep` is not used, because aborting it creates an error for each response.
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = this.#options.context.clock.schedule(ms, () => resolve(undefined));
    using _ = whenAborted(this.#options.signal, () => resolve(undefined));
    try {
      return await Promise.race([query, promise]);
    } finally {
      timer[Symbol.dispose]();
    }
  }

  /** Checks the index. Returns undefined when the response of the blocking query came first, or when no response came in time. */
  async #checkDuring(
    query: Promise<ConsulResponse>,
    consistency: Consistency,
  ): Promise<IndexCheck | undefined> {
    const done = new AbortController();
    using _ = whenAborted(this.#options.signal, () => done.abort());
    const withinMs = this.#options.context.heartbeatMs * 2;
    const check = this.#checkIndex({
      consistency,
      position: FROM_START,
      holdsSlot: false,
      withinMs,
      signal: done.signal,
    });
    try {
      return await Promise.race([check, query.then(() => undefined)]);
    } finally {
      done.abort();
    }
  }

  /** Requests the current index of the server. Returns undefined when no response came in time; the health timeout detects the silence. */
  async #checkIndex(options: IndexCheckOptions): Promise<IndexCheck | undefined> {
    const { consistency, position, holdsSlot, withinMs, signal } = options;
    const { query, client, findStaleness } = this.#options;
    const { address } = this.#known;
    const path = query.toCheckPath(consistency, position);
    try {
      // Users that watch the same with the same token need only one check.
      const response = await client.once(
        `${address} ${path}`,
        (shared) => client.send({ path, address, holdsSlot, withinMs, signal: shared }),
        signal,
      );
      await query.assertComplete(response);
      return { response, index: readIndex(response, 0), held: findStaleness(response) };
    } catch (error) {
      if (isProvisioningError(error) && error.code === "CONNECTIVITY_TIMEOUT") return undefined;
      throw error;
    }
  }

  #toDeadConnection(check: IndexCheck): ProvisioningError {
    const { address, index } = this.#known;
    return new ProvisioningError(
      "STREAM_FAILED",
      `the blocking query to Consul at ${address} did not return a change, so its connection is dead`,
      { details: { address, index, seen: check.index } },
    );
  }
}

function toConfirmation({ held }: IndexCheck): Confirmation {
  return held === undefined ? { type: "heartbeat" } : { type: "held", reason: held };
}

/** Whether nothing listens at the address. */
function isRefused(error: unknown): error is ProvisioningError {
  return (
    isProvisioningError(error) &&
    error.code === "CONNECTIVITY_REFUSED" &&
    error.details["status"] === undefined
  );
}
