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
import type { ConsulAnswer, ConsulSource } from "../http/consul-client.ts";
import type { ConsulSettings } from "../consul-params.ts";
import { isAboutCredentials } from "../http/is-about-credentials.ts";
import { HealthBody } from "./health-body.ts";
import { toHealthPath, toLifePath, type Consistency } from "./health-query.ts";
import { PollPace } from "./poll-pace.ts";
import { readIndex } from "./read-index.ts";
import { findStaleness, isFromCache, isFromView, readAgeMs } from "./staleness.ts";

export interface ServiceWatchOptions {
  readonly descriptor: ProviderDescriptor<ConsulSettings>;
  readonly context: ProviderContext;
  readonly client: ConsulSource;
  /** The highest index that any watch of this provider has taken; kept up to date. */
  readonly newest: { index: number };
  readonly signal: AbortSignal;
}

/** Consul adds up to a sixteenth to the wait it is asked for (api-docs, "Blocking Queries"); the rest is for the network. */
const WAIT_STRETCH = 17 / 16;
const NETWORK_MS = 5_000;
/** How long a blocking query may take at least to begin to bring a change that a life check has seen. */
const GRACE_MS = 1_000;
/** After so long without a response one of several addresses is asked whether it has a leader. */
const LEADER_CHECK_MS = 1_000;

/** One watch of a service; what it throws after its signal has aborted is ignored. */
export class ServiceWatch {
  readonly #options: ServiceWatchOptions;
  readonly #params: ConsulSettings;
  readonly #stop = new AbortController();
  readonly #body: HealthBody;
  #index = 0;
  /** The answer to the last query that asked for `consistent`: its leader has proven that it is the leader. */
  #fromLeader: ConsulAnswer | undefined;

  constructor(options: ServiceWatchOptions) {
    this.#options = options;
    this.#params = options.descriptor.params;
    this.#body = new HealthBody(this.#params, options.context.clock);
  }

  async *events(): AsyncGenerator<SourceEvent, void> {
    const { signal } = this.#options;
    using _ = whenAborted(signal, () => this.#stop.abort(signal.reason));
    try {
      yield* this.#read();
    } catch (error) {
      if (!isProvisioningError(error)) throw error;
      const { service } = this.#params;
      throw withDetails(error, { service, ...(this.#index > 0 && { index: this.#index }) });
    } finally {
      this.#stop.abort();
    }
  }

  async *#read(): AsyncGenerator<SourceEvent, void> {
    const { clock, random, heartbeatMs } = this.#options.context;
    const pace = new PollPace({ clock, random, heartbeatMs, minGapMs: this.#params.minGapMs });
    let answer = await this.#readAgain();
    for (;;) {
      const startedAt = clock.monotonic();
      const index = readIndex(answer, this.#index);
      const event = await this.#take(answer, index);
      if (event !== undefined) yield event;
      // Advance only after the consumer has received the event: one that stops here has not seen it.
      this.#index = index;
      this.#options.newest.index = index;
      const isNews = event?.type === "snapshot";
      await pace.rest(isNews ? clock.monotonic() - startedAt : undefined, this.#stop.signal);
      pace.begin();
      answer = yield* this.#poll();
    }
  }

  /** The whole content now, whatever was known before, of the first address that answers and vouches for it. */
  async #readAgain(): Promise<ConsulAnswer> {
    const { consistency } = this.#params;
    const { context, newest } = this.#options;
    // A leader that was just started may still be reading its log, and there is no index yet to tell it by.
    const first = consistency === "default" && newest.index === 0 ? "consistent" : consistency;
    const answer = await this.#askAll(first);
    if (first === "consistent") return answer;
    // Neither a server that lags behind nor a new leader that is catching up may bring back older content.
    if (readIndex(answer, 0) >= newest.index) return answer;
    // After a restart every watcher gets here, and they must not all ask twice at once.
    await this.#spread(context.heartbeatMs);
    return this.#askAll("consistent");
  }

  /**
   * Prefers an address that vouches for its content. Where none does, returns the newest content that may be shown, and asks the leader
   * where all content is too old.
   */
  async #askAll(mode: Consistency): Promise<ConsulAnswer> {
    const { client, context } = this.#options;
    const isOnly = this.#params.addresses.length === 1;
    const withinMs = Math.max(context.heartbeatMs * (isOnly ? 2 : 1), 1_000);
    const held: ConsulAnswer[] = [];
    const request = {
      path: toHealthPath(this.#params, mode, { index: 0, waitMs: 0 }),
      withinMs,
      // The only address may take its seven seconds, in which a new leader may be elected.
      leaderCheckAfterMs: isOnly ? withinMs * 0.75 : Math.min(LEADER_CHECK_MS, withinMs / 4),
      signal: this.#stop.signal,
    };
    try {
      if (mode === "consistent") {
        const answer = await client.askAny(request);
        this.#fromLeader = isFromCache(answer) ? undefined : answer;
        return answer;
      }
      return await client.askAny(request, (answer) => this.#assertCurrent(answer, held));
    } catch (error) {
      throwIfAborted(this.#stop.signal);
      if (!isProvisioningError(error) || isAboutCredentials(error)) throw error;
      const [best] = held.toSorted(byIndexAndAge);
      if (best === undefined) {
        if (mode === "stale" && error.code === "STREAM_STALE") return this.#askAll("consistent");
        throw error;
      }
      client.prefer(best.address);
      return best;
    }
  }

  /** Throws `STREAM_STALE` for an answer that its server does not vouch for, and keeps it if it may be shown. */
  #assertCurrent(answer: ConsulAnswer, held: ConsulAnswer[]): void {
    const reason = this.#findStaleness(answer);
    if (reason === undefined) return;
    held.push(answer);
    throw new ProvisioningError(reason.code, reason.message, { details: { ...reason.details } });
  }

  /** Throws `STREAM_STALE` for content that is too old to be shown. */
  #findStaleness(answer: ConsulAnswer): Reason | undefined {
    const { maxStaleMs } = this.#params;
    // Content of this age is noticed by the next life check, within three heartbeats: the health timeout.
    return findStaleness(answer, { freshMs: this.#options.context.heartbeatMs * 2, maxStaleMs });
  }

  #spread(withinMs: number): Promise<void> {
    const { clock, random } = this.#options.context;
    return sleep(random() * withinMs, { clock, signal: this.#stop.signal });
  }

  /** `undefined` for an answer that brings nothing new and proves nothing. */
  async #take(answer: ConsulAnswer, index: number): Promise<SourceEvent | undefined> {
    const { descriptor, context } = this.#options;
    assertUnfiltered(answer, this.#params);
    const held = answer === this.#fromLeader ? undefined : this.#findStaleness(answer);
    const observedAt = context.clock.now();
    const content = await this.#readBody(answer, index);
    if (content === "same") {
      if (held !== undefined) return { type: "held", reason: held };
      return isFromView(answer) ? undefined : { type: "heartbeat" };
    }
    if (this.#body.isEmpty) await this.#assertMayRead();
    const ageMs = readAgeMs(answer);
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

  async #readBody({ body, address }: ConsulAnswer, index: number): ReturnType<HealthBody["read"]> {
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

  /** The next answer: of a blocking query, with heartbeats while it waits, or of an address that knows better. */
  async *#poll(): AsyncGenerator<SourceEvent, ConsulAnswer> {
    const { consistency, waitMs } = this.#params;
    const { client, context } = this.#options;
    const poll = new AbortController();
    using _ = whenAborted(this.#stop.signal, () => poll.abort(this.#stop.signal.reason));
    let hasBegun = false;
    const query = client.ask({
      path: toHealthPath(this.#params, consistency, { index: this.#index, waitMs }),
      withinMs: waitMs * WAIT_STRETCH + NETWORK_MS,
      onResponse: () => {
        hasBegun = true;
      },
      signal: poll.signal,
    });
    // Its end has no other listener once the consumer has stopped reading.
    query.catch(() => undefined);
    try {
      for (;;) {
        const answer = await this.#within(query, context.heartbeatMs / 2);
        if (answer !== undefined) return answer;
        throwIfAborted(this.#stop.signal);
        const life = await this.#checkLife(query);
        if (life === undefined) continue;
        if (life.index > this.#index) {
          const brought = await this.#within(query, Math.max(GRACE_MS, context.heartbeatMs));
          if (brought !== undefined) return brought;
          throwIfAborted(this.#stop.signal);
          // A long response may take its time: one that stops is noticed by the health timeout.
          if (hasBegun) return await query;
          throw toDead(life, this.#index);
        }
        if (life.held === undefined) yield { type: "heartbeat" };
        else {
          yield { type: "held", reason: life.held };
          if (await this.#findBetter()) return await this.#readAgain();
        }
      }
    } finally {
      poll.abort();
    }
  }

  /** Whether another address vouches for its content; it is the one that is asked from then on. */
  async #findBetter(): Promise<boolean> {
    const { client, context } = this.#options;
    const { addresses, consistency } = this.#params;
    if (addresses.length === 1) return false;
    const request = {
      path: toLifePath(this.#params, consistency),
      withinMs: context.heartbeatMs / addresses.length,
      signal: this.#stop.signal,
    };
    try {
      await client.askAny(request, (answer) => this.#assertCurrent(answer, []));
      return true;
    } catch (error) {
      throwIfAborted(this.#stop.signal);
      if (isProvisioningError(error)) return false;
      throw error;
    }
  }

  async #within(query: Promise<ConsulAnswer>, ms: number): Promise<ConsulAnswer | undefined> {
    // Not `sleep`: aborting one costs an error each time, just when an answer has come.
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
   * What the server knows now; undefined when the blocking query had its answer first, or when no response came in time: then the
   * silence is noticed by the health timeout.
   */
  async #checkLife(query: Promise<ConsulAnswer>): Promise<Life | undefined> {
    const { client, context } = this.#options;
    const done = new AbortController();
    using _ = whenAborted(this.#stop.signal, () => done.abort());
    const path = toLifePath(this.#params, this.#params.consistency);
    const check = client.ask({ path, withinMs: context.heartbeatMs * 2, signal: done.signal });
    try {
      const answer = await Promise.race([check, query.then(() => undefined)]);
      if (answer === undefined) return undefined;
      assertUnfiltered(answer, this.#params);
      const { address } = answer;
      return { address, index: readIndex(answer, 0), held: this.#findStaleness(answer) };
    } catch (error) {
      if (isProvisioningError(error) && error.code === "CONNECTIVITY_TIMEOUT") return undefined;
      throw error;
    } finally {
      done.abort();
    }
  }
}

/** What a life check has found. */
interface Life {
  readonly address: string;
  readonly index: number;
  /** Why the content may be out of date, where the server does not vouch for it. */
  readonly held: Reason | undefined;
}

function toDead({ address, index }: Life, known: number): ProvisioningError {
  return new ProvisioningError(
    "STREAM_FAILED",
    `the blocking query to Consul at ${address} did not bring a change: its connection is dead`,
    { details: { address, index: known, seen: index } },
  );
}

/** The newest first: the highest index, then the lowest age. */
function byIndexAndAge(a: ConsulAnswer, b: ConsulAnswer): number {
  const isNewer = readIndex(b, 0) - readIndex(a, 0);
  return isNewer || (readAgeMs(a) ?? Number.MAX_VALUE) - (readAgeMs(b) ?? Number.MAX_VALUE);
}
