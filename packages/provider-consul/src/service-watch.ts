import {
  createSnapshot,
  isProvisioningError,
  ProvisioningError,
  sleep,
  whenAborted,
  type ProviderContext,
  type ProviderDescriptor,
  type ProviderEvent,
} from "@holdfast/core";
import { assertMayRead, assertUnfiltered } from "./acl-check.ts";
import { readIndex } from "./blocking-position.ts";
import type { ConsulAnswer, ConsulSource } from "./consul-client.ts";
import type { ConsulProviderParams } from "./consul-params.ts";
import { HealthBody } from "./health-body.ts";
import { toHealthPath, toLifePath } from "./health-query.ts";
import { PollPace } from "./poll-pace.ts";
import { readStaleness } from "./staleness.ts";

export interface ServiceWatchOptions {
  readonly descriptor: ProviderDescriptor<ConsulProviderParams>;
  readonly context: ProviderContext;
  readonly client: ConsulSource;
  /** The highest index that any watch of this provider has taken; kept up to date. */
  readonly newest: { index: number };
  readonly signal: AbortSignal;
}

/** Consul adds up to a sixteenth to the wait it is asked for (api-docs, "Blocking Queries"); the rest is for the way. */
const WAIT_STRETCH = 17 / 16;
const WAY_MS = 5_000;
/** How long a blocking query may take to bring what a life check has seen. */
const GRACE_MS = 1_000;

/** One watch of a service; it may throw as its signal aborts, which `ProviderLife` keeps to itself. */
export class ServiceWatch {
  readonly #options: ServiceWatchOptions;
  readonly #params: ConsulProviderParams;
  readonly #stop = new AbortController();
  readonly #body: HealthBody;
  #index = 0;

  constructor(options: ServiceWatchOptions) {
    this.#options = options;
    this.#params = options.descriptor.params;
    this.#body = new HealthBody(this.#params, options.context.clock);
  }

  async *events(): AsyncGenerator<ProviderEvent, void> {
    const { signal, context } = this.#options;
    const { clock, random, heartbeatMs } = context;
    using _ = whenAborted(signal, () => this.#stop.abort(signal.reason));
    const pace = new PollPace({ clock, random, heartbeatMs, minGapMs: this.#params.minGapMs });
    try {
      let answer = await this.#readAfresh();
      for (;;) {
        const startedAt = clock.monotonic();
        const index = readIndex(answer.headers, this.#index);
        const event = await this.#take(answer, index);
        yield event;
        // Only now: a consumer that broke off has not seen it.
        this.#index = index;
        this.#options.newest.index = index;
        const isNews = event.type === "snapshot";
        await pace.rest(isNews ? clock.monotonic() - startedAt : undefined, this.#stop.signal);
        pace.begin();
        answer = yield* this.#poll();
      }
    } finally {
      this.#stop.abort();
    }
  }

  /** The whole content now, whatever was known before, of the first address that answers. */
  async #readAfresh(): Promise<ConsulAnswer> {
    const { consistency, maxStaleMs, addresses } = this.#params;
    const { context, newest } = this.#options;
    const withinMs = context.heartbeatMs * (addresses.length > 1 ? 1 : 2);
    const read = (mode: typeof consistency) =>
      this.#options.client.askAny({
        path: toHealthPath(this.#params, mode, { index: 0, waitMs: 0 }),
        withinMs: Math.max(withinMs, 1_000),
        signal: this.#stop.signal,
      });
    // A leader that was just started may still be reading its log, and there is no index to tell it by yet.
    const first = consistency === "default" && newest.index === 0 ? "consistent" : consistency;
    const answer = await read(first);
    if (first === "consistent") return answer;
    const isStale = consistency === "stale" && readStaleness(answer.headers) > maxStaleMs;
    // Neither a server that lags behind nor a new leader that is catching up may bring back what was before.
    const isRollback = readIndex(answer.headers, 0) < newest.index;
    // After a restart that goes for all watchers, and they must not all ask twice at once.
    if (isRollback) await this.#spread(context.heartbeatMs);
    return isStale || isRollback ? read("consistent") : answer;
  }

  #spread(withinMs: number): Promise<void> {
    const { clock, random } = this.#options.context;
    return sleep(random() * withinMs, { clock, signal: this.#stop.signal });
  }

  async #take(answer: ConsulAnswer, index: number): Promise<ProviderEvent> {
    const { descriptor, context } = this.#options;
    const { signal } = this.#stop;
    assertUnfiltered(answer.headers, this.#params);
    const observedAt = context.clock.now();
    const content = await this.#body.read(answer.body, signal);
    if (content === "same") return { type: "heartbeat" };
    if (this.#body.isEmpty) await this.#assertMayRead();
    const { members, skipped } = content;
    const snapshot = createSnapshot({
      providerId: descriptor.id,
      members,
      observedAt,
      revision: String(index),
      skipped,
      ...(this.#params.consistency === "stale" && { stalenessMs: readStaleness(answer.headers) }),
    });
    return { type: "snapshot", snapshot };
  }

  /** Throws `STREAM_LATE` when a server that may answer without its leader has not heard of it for too long. */
  #assertInTouch({ headers, address }: ConsulAnswer): void {
    const { consistency, maxStaleMs } = this.#params;
    if (consistency !== "stale" || readStaleness(headers) <= maxStaleMs) return;
    throw new ProvisioningError("STREAM_LATE", `Consul at ${address} has lost touch with its leader`, {
      details: { address, maxStaleMs },
    });
  }

  #assertMayRead(): Promise<void> {
    const { client, context } = this.#options;
    const withinMs = context.heartbeatMs * 2;
    return assertMayRead({ client, params: this.#params, withinMs, signal: this.#stop.signal });
  }

  /** The next answer of a blocking query; heartbeats while it waits. */
  async *#poll(): AsyncGenerator<ProviderEvent, ConsulAnswer> {
    const { consistency, waitMs } = this.#params;
    const { client, context } = this.#options;
    const { signal } = this.#stop;
    const query = client.ask({
      path: toHealthPath(this.#params, consistency, { index: this.#index, waitMs }),
      withinMs: waitMs * WAIT_STRETCH + WAY_MS,
      signal,
    });
    // Whoever stopped pulling hears nothing of its end.
    query.catch(() => undefined);
    const within = async (ms: number): Promise<ConsulAnswer | undefined> => {
      // No `sleep`: aborting one costs an error each time, just when an answer has come.
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const timer = context.clock.schedule(ms, () => resolve(undefined));
      using _ = whenAborted(signal, () => resolve(undefined));
      try {
        return await Promise.race([query, promise]);
      } finally {
        timer[Symbol.dispose]();
      }
    };
    for (;;) {
      const answer = await within(context.heartbeatMs / 2);
      if (answer !== undefined) {
        this.#assertInTouch(answer);
        return answer;
      }
      signal.throwIfAborted();
      const seen = await this.#checkLife(query);
      if (seen === undefined) continue;
      if (seen <= this.#index) {
        yield { type: "heartbeat" };
        continue;
      }
      const brought = await within(Math.max(GRACE_MS, context.heartbeatMs / 2));
      if (brought !== undefined) {
        this.#assertInTouch(brought);
        return brought;
      }
      signal.throwIfAborted();
      throw new ProvisioningError("STREAM_FAILED", "a change did not come through: the connection is dead", {
        details: { index: this.#index, seen },
      });
    }
  }

  /**
   * The index now; undefined when the blocking query had its answer first, or when nothing was heard in time: then the
   * silence will tell.
   */
  async #checkLife(query: Promise<ConsulAnswer>): Promise<number | undefined> {
    const { client, context } = this.#options;
    const done = new AbortController();
    using _ = whenAborted(this.#stop.signal, () => done.abort());
    const path = toLifePath(this.#params, this.#params.consistency);
    const check = client.ask({ path, withinMs: context.heartbeatMs * 2, signal: done.signal });
    try {
      const life = await Promise.race([check, query.then(() => undefined)]);
      if (life === undefined) return undefined;
      assertUnfiltered(life.headers, this.#params);
      this.#assertInTouch(life);
      return readIndex(life.headers, 0);
    } catch (error) {
      if (isProvisioningError(error) && error.code === "CONNECTIVITY_TIMEOUT") return undefined;
      throw error;
    } finally {
      done.abort();
    }
  }
}
