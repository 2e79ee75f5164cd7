import { isProvisioningError, ProvisioningError, whenAborted, type Clock, type Random } from "@holdfast/core";
import { MAX_MEMBERS } from "@holdfast/core/adapter";
import type { ApiSource, WatchEvent } from "../access/api-client.ts";
import type { WatchTarget } from "../access/watch-target.ts";
import { toListPage, type ListPage } from "../wire/list-page.ts";
import { objectKeyOf } from "../wire/object-key.ts";
import { gatherFirst } from "./gather-first.ts";
import { readConsistently } from "./read-consistently.ts";
import type { ListedObject, ReflectorStep } from "./reflector-step.ts";
import { mayResumeAfter, refusesVersion } from "./resume-rules.ts";
import { RetryBudget } from "./retry-budget.ts";
import { WatchPace } from "./watch-pace.ts";
import { NO_POSITION, type WatchPosition } from "./watch-position.ts";

export interface ReflectorOptions {
  readonly target: WatchTarget;
  readonly client: ApiSource;
  readonly clock: Clock;
  readonly random: Random;
  /** Returns the longest time between two confirmations of the content, in milliseconds. It may change. */
  readonly heartbeatMs: () => number;
  /** The position of remembered content, to continue from there. @defaultValue starts with a list */
  readonly resumeAt?: WatchPosition | undefined;
  readonly signal: AbortSignal;
}

type WatchOutcome = "ended" | "expired";

/**
 * `resuming`: the content is remembered from an earlier reflector, and the server has not confirmed it yet. `listing`: the content is
 * not complete, or no longer trusted, so a list comes next. `watching`: the content is complete up to its version.
 */
type Phase = "resuming" | "listing" | "watching";

/** The maximum number of pages when a million objects need fewer. A list with more pages is considered endless. */
const USUAL_PAGES = 1_000;
/** How long to wait for the events since the remembered version, in milliseconds. */
const REPLAY_MS = 200;

/**
 * A list and watch of the objects of one target: a list, which is read consistently and page by page, and then successive watch
 * requests, each from the version that the previous one reached. After a failure, no list is needed if the server still has the
 * version that was reached. Errors after its signal has aborted are ignored. It keeps no objects: it reports steps.
 */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #stop = new AbortController();
  readonly #budget = new RetryBudget();
  readonly #pace: WatchPace;
  #phase: Phase;
  #position: WatchPosition;
  /** Whether the content has been reported as current, so that the events of the server are changes to it. */
  #isCurrent = false;
  /** When the server last confirmed that its content is current, in milliseconds of the monotonic clock. */
  #confirmedAt: number = Number.NEGATIVE_INFINITY;
  /** Ends the watch request in progress. */
  #request = new AbortController();

  constructor(options: ReflectorOptions) {
    const { clock, random, heartbeatMs, target, resumeAt } = options;
    const { watchTimeoutMs } = target;
    this.#options = options;
    this.#pace = new WatchPace({ clock, random, heartbeatMs, watchTimeoutMs, signal: this.#stop.signal });
    this.#position = resumeAt ?? NO_POSITION;
    this.#phase = resumeAt === undefined ? "listing" : "resuming";
  }

  /** Runs the list and watch until it fails or its signal aborts. Call it once. */
  async *steps(): AsyncGenerator<ReflectorStep, void> {
    const { signal } = this.#options;
    using _ = whenAborted(signal, () => this.#stop.abort(signal.reason));
    try {
      if (this.#phase === "listing") yield* this.#list();
      for (;;) {
        const outcome = yield* this.#watch();
        if (outcome === "ended") continue;
        yield { type: "expired" };
        await this.#waitForList();
        yield* this.#list();
      }
    } finally {
      this.#stop.abort();
    }
  }

  /** Ends the watch request in progress, so that the next one fits a shorter heartbeat interval. */
  renew(): void {
    this.#request.abort();
  }

  /** Returns where the next reflector can continue after this one has failed; undefined when it must list. */
  resumableAfter(error: unknown): WatchPosition | undefined {
    return this.#phase !== "listing" && mayResumeAfter(error) ? this.#position : undefined;
  }

  /**
   * Called when the version has expired: waits before the next list. Throws `STREAM_EXPIRED` when too many lists have
   * expired.
   */
  #waitForList(): Promise<void> {
    const isResuming = this.#phase === "resuming";
    this.#phase = "listing";
    if (isResuming) return this.#pace.waitRandomly(this.#options.heartbeatMs());
    const expiries = this.#budget.expired();
    if (expiries !== undefined) return this.#pace.pause(expiries);
    throw new ProvisioningError("STREAM_EXPIRED", "every listed version expired before it could be watched");
  }

  /**
   * Lists the complete content. The request has no `resourceVersion`, so that the response comes from storage. The
   * cache of a server may be older than the last snapshot (Kubernetes API concepts, "Semantics for get and list").
   */
  async *#list(): AsyncGenerator<ReflectorStep, void> {
    const { client, target, clock } = this.#options;
    const observedAt = clock.now();
    const startedAt = clock.monotonic();
    const place = await client.locate(target, this.#stop.signal);
    let keys = new Set<string>();
    let version: string | undefined;
    let continueAt: string | undefined;
    let pages = 0;
    do {
      const page = await this.#readPage(place, continueAt);
      // The new list has a newer version, in which objects of the first pages may have been deleted.
      if (page === undefined) {
        keys = new Set();
        continueAt = undefined;
        version = undefined;
        continue;
      }
      if (++pages > this.#maxPages) throw tooManyPages(this.#maxPages);
      const objects = toListed(page, continueAt ?? "");
      for (const { key } of objects) keys.add(key);
      yield { type: "page", objects };
      version = page.resourceVersion;
      ({ continueAt } = page);
      await clock.yield();
    } while (continueAt !== undefined || version === undefined);
    this.#position = { place, version, observedAt, confirmedAt: startedAt };
    this.#confirmedAt = startedAt;
    this.#phase = "watching";
    this.#isCurrent = true;
    yield { type: "listed", keys, position: this.#position };
  }

  /** Returns undefined when the next page has expired and the list must start again. */
  async #readPage(place: string, continueAt: string | undefined): Promise<ListPage | undefined> {
    const { client, target } = this.#options;
    try {
      const response = await client.getJson({
        target,
        verb: "list",
        query: {
          limit: String(target.pageSize),
          ...(continueAt !== undefined && { continue: continueAt }),
        },
        place,
        withinMs: Math.max(this.#options.heartbeatMs() * 2, 2_000),
        signal: this.#stop.signal,
      });
      return toListPage(response, target.resource.listKind);
    } catch (error) {
      const isGone =
        isProvisioningError(error) && error.code === "STREAM_EXPIRED" && continueAt !== undefined;
      const expiries = isGone ? this.#budget.expired() : undefined;
      if (expiries === undefined) throw error;
      await this.#pace.pause(expiries);
      return undefined;
    }
  }

  /** Runs one watch request from the current version. The server ends it, which is part of the liveness check. */
  async *#watch(): AsyncGenerator<ReflectorStep, WatchOutcome> {
    const { client, target, clock, heartbeatMs } = this.#options;
    const seconds = this.#pace.watchSeconds();
    const startedAt = clock.monotonic();
    const requestedAt = clock.now();
    const isQuick = () => clock.monotonic() - startedAt < seconds * 500;
    this.#request = new AbortController();
    const renewal = this.#request.signal;
    const batches = client.getEvents({
      target,
      verb: "watch",
      query: {
        watch: "1",
        allowWatchBookmarks: "true",
        resourceVersion: this.#position.version,
        timeoutSeconds: String(seconds),
      },
      place: this.#position.place,
      withinMs: seconds * 1_000 + heartbeatMs(),
      lateCode: "STREAM_SILENT",
      signal: AbortSignal.any([this.#stop.signal, renewal]),
    });
    let hasEvents = false;
    try {
      const isResuming = this.#phase === "resuming";
      for await (const batch of isResuming ? this.#replayed(batches) : batches) {
        if (batch.length > 0) hasEvents = true;
        if (this.#isCurrent) yield* this.#apply(batch);
        else if (!(yield* this.#resume(batch, requestedAt))) return "expired";
      }
    } catch (error) {
      const isExpired =
        this.#phase === "resuming"
          ? refusesVersion(error)
          : isProvisioningError(error) && error.code === "STREAM_EXPIRED";
      if (isExpired) {
        if (!isQuick()) this.#budget.lasted();
        return "expired";
      }
      if (!renewal.aborted || this.#stop.signal.aborted) throw error;
      return yield* this.#confirmAgain();
    }
    const verdict = this.#budget.ended({ isQuick: isQuick(), hasEvents });
    if (verdict === "exhausted") {
      // There was not even a bookmark, so another program may be responding at this address. The next list will show
      // that.
      this.#phase = "listing";
      throw new ProvisioningError("STREAM_FAILED", "the server ended every watch at once, without an event");
    }
    if (verdict === "useful" && clock.monotonic() - this.#confirmedAt >= heartbeatMs() / 4) {
      const outcome = yield* this.#confirmAgain();
      if (outcome === "expired") return outcome;
    }
    // A server that ends watches at once must not receive requests without pauses.
    if (this.#budget.quickEnds > 0) await this.#pace.pause(this.#budget.quickEnds);
    return "ended";
  }

  /**
   * Processes the first batch since the remembered version. The content is reported as current after the server has confirmed it.
   * Returns false when the server has not reached the version.
   */
  async *#resume(batch: readonly WatchEvent[], requestedAt: number): AsyncGenerator<ReflectorStep, boolean> {
    if (batch.length > 0) yield* this.#apply(batch);
    // Changes are already late, so they are confirmed at once. Without changes the confirmation can wait a random time,
    // so that not all watches ask together.
    else await this.#pace.waitRandomly(this.#options.heartbeatMs() / 2);
    if (!(await this.#confirm())) return false;
    if (batch.length === 0) this.#position = { ...this.#position, observedAt: requestedAt };
    this.#isCurrent = true;
    yield { type: "resumed", position: this.#position };
    return true;
  }

  /** Collects the events since the remembered version into the first batch. */
  #replayed(
    batches: AsyncGenerator<readonly WatchEvent[], void>,
  ): AsyncGenerator<readonly WatchEvent[], void> {
    const { clock, heartbeatMs } = this.#options;
    return gatherFirst(batches, { clock, withinMs: Math.min(REPLAY_MS, heartbeatMs() / 4) });
  }

  async *#confirmAgain(): AsyncGenerator<ReflectorStep, WatchOutcome> {
    if (!(await this.#confirm())) return "expired";
    if (this.#isCurrent) yield { type: "confirmed", position: this.#position };
    return "ended";
  }

  /**
   * Returns true when the storage of the server has reached this version, so that the content is current. Later changes
   * come with the next watch.
   */
  async #confirm(): Promise<boolean> {
    const { client, target, clock, heartbeatMs } = this.#options;
    const observedAt = clock.now();
    const confirmedAt = clock.monotonic();
    this.#phase = "watching";
    const { signal } = this.#stop;
    const withinMs = Math.max(heartbeatMs(), 2_000);
    // The watch that has just ended can return its connection first. Behind a load balancer, another connection may
    // lead to another server.
    await clock.yield();
    const position = this.#position;
    if (!(await readConsistently({ client, target, position, withinMs, signal }))) return false;
    this.#position = { ...position, observedAt, confirmedAt };
    this.#confirmedAt = confirmedAt;
    return true;
  }

  /**
   * Reports a batch. A change confirms that the server is alive. A bookmark does not, because it may come from the
   * cache of a server that has lost its storage.
   */
  *#apply(events: readonly WatchEvent[]): Generator<ReflectorStep, void> {
    const last = events.at(-1);
    if (last === undefined) return;
    const { clock } = this.#options;
    const isChange = events.some(({ type }) => type !== "bookmark");
    this.#position = {
      ...this.#position,
      version: last.resourceVersion,
      ...(isChange && { observedAt: clock.now(), confirmedAt: clock.monotonic() }),
    };
    yield { type: "events", events, position: this.#position };
  }

  get #maxPages(): number {
    return Math.max(USUAL_PAGES, Math.ceil(MAX_MEMBERS / this.#options.target.pageSize));
  }
}

function toListed({ items }: ListPage, from: string): readonly ListedObject[] {
  return items.map((object, i) => ({ key: objectKeyOf(object) ?? `#${from}${i}`, object }));
}

function tooManyPages(maxPages: number): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", `a list did not end after ${maxPages} pages`, {
    details: { maxPages },
  });
}
