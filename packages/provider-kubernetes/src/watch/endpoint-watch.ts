import {
  isProvisioningError,
  ProvisioningError,
  whenAborted,
  type MemberSet,
  type ProviderContext,
  type ProviderDescriptor,
  type SourceEvent,
} from "@holdfast/core";
import { MAX_MEMBERS } from "@holdfast/core/adapter";
import type { EndpointSource, WatchEvent } from "../access/api-client.ts";
import { EndpointState } from "./endpoint-state.ts";
import { gatherFirst } from "./gather-first.ts";
import type { KubernetesSettings } from "../kubernetes-params.ts";
import { toListPage, type ListPage } from "../wire/list-page.ts";
import { mayResumeAfter, refusesVersion } from "./resume-rules.ts";
import { RetryBudget } from "./retry-budget.ts";
import { readConsistently } from "./read-consistently.ts";
import type { WatchMemory } from "./watch-memory.ts";
import { WatchPace } from "./watch-pace.ts";
import { withDueTime } from "./with-due-time.ts";

export interface EndpointWatchOptions {
  readonly descriptor: ProviderDescriptor<KubernetesSettings>;
  readonly context: ProviderContext;
  readonly client: EndpointSource;
  readonly memory: WatchMemory;
  readonly signal: AbortSignal;
}

type WatchOutcome = "ended" | "expired";

/**
 * `resuming`: the content is remembered from an earlier watch, and the server has not confirmed it yet. `listing`: the content is not
 * complete, or no longer trusted, so a list comes next. `watching`: the content is complete up to its version.
 */
type Phase = "resuming" | "listing" | "watching";

/** Pages that a list may have when a million slices fit into fewer: a list with more pages is taken to be endless. */
const USUAL_PAGES = 1_000;
/** How long a server may take to send the events since the remembered version. */
const REPLAY_MS = 200;

/**
 * One watch of EndpointSlices: a list, read consistently and page by page, and then one watch request after the other, each from the
 * version that the one before reached. After a failure no list is needed if the server still knows the version that was reached. What
 * it throws after its signal has aborted is ignored.
 */
export class EndpointWatch {
  readonly #options: EndpointWatchOptions;
  readonly #params: KubernetesSettings;
  readonly #stop = new AbortController();
  readonly #budget = new RetryBudget();
  readonly #pace: WatchPace;
  #phase: Phase = "listing";
  #state: EndpointState;
  /** The members of the last snapshot; absent before the first. */
  #shown: MemberSet | undefined;
  /** When the server last proved that its content is current; monotonic milliseconds. */
  #provenAt: number = Number.NEGATIVE_INFINITY;

  constructor(options: EndpointWatchOptions) {
    this.#options = options;
    this.#params = options.descriptor.params;
    const { watchTimeoutMs } = this.#params;
    this.#pace = new WatchPace({ context: options.context, watchTimeoutMs, signal: this.#stop.signal });
    this.#state = new EndpointState(this.#params);
  }

  async *events(): AsyncGenerator<SourceEvent, void> {
    const { signal, memory } = this.#options;
    using _ = whenAborted(signal, () => this.#stop.abort(signal.reason));
    const remembered = memory.begin();
    if (remembered !== undefined) {
      this.#state = remembered;
      this.#phase = "resuming";
    }
    let left: EndpointState | undefined;
    try {
      if (this.#phase === "listing") yield await this.#list();
      for (;;) {
        const outcome = yield* this.#watch();
        if (outcome === "ended") continue;
        await this.#waitForList();
        yield await this.#list();
      }
    } catch (error) {
      if (this.#phase !== "listing" && mayResumeAfter(error)) left = this.#state;
      throw error;
    } finally {
      memory.end(left);
      this.#stop.abort();
    }
  }

  /** The version is gone: a list comes next, after a pause. Throws `STREAM_EXPIRED` when lists have been of no use. */
  #waitForList(): Promise<void> {
    const isResuming = this.#phase === "resuming";
    this.#phase = "listing";
    if (isResuming) return this.#pace.spread(this.#options.context.heartbeatMs);
    const expiries = this.#budget.expired();
    if (expiries !== undefined) return this.#pace.pause(expiries);
    throw new ProvisioningError("STREAM_EXPIRED", "every version listed was gone before it could be watched");
  }

  /**
   * The whole content. Without a `resourceVersion`, so that it comes from storage and not from a server's cache that may lag
   * behind what was shown before (Kubernetes API concepts, "Semantics for get and list").
   */
  async #list(): Promise<SourceEvent> {
    const { client, context } = this.#options;
    const { clock } = context;
    const { signal } = this.#stop;
    const state = this.#state;
    const observedAt = clock.now();
    const startedAt = clock.monotonic();
    state.place = await client.locate(signal);
    let gone = new Set(state.keys);
    let version: string | undefined;
    let continueAt: string | undefined;
    let pages = 0;
    do {
      const page = await this.#readPage(continueAt);
      // A list that starts again is of a newer version, in which slices of the first pages may be gone.
      if (page === undefined) {
        gone = new Set(state.keys);
        continueAt = undefined;
        version = undefined;
        continue;
      }
      if (++pages > this.#maxPages) throw tooManyPages(this.#maxPages);
      for (const key of state.putPage(page, continueAt ?? "")) gone.delete(key);
      version = page.resourceVersion;
      ({ continueAt } = page);
      await clock.yield();
    } while (continueAt !== undefined || version === undefined);
    await state.endList(gone, version, { clock, signal });
    state.observedAt = observedAt;
    state.confirmedAt = startedAt;
    this.#provenAt = startedAt;
    this.#phase = "watching";
    return this.#show();
  }

  /** Undefined when the list has to start again because its next page is gone. */
  async #readPage(continueAt: string | undefined): Promise<ListPage | undefined> {
    const { client } = this.#options;
    try {
      const answer = await client.getJson({
        verb: "list",
        query: {
          limit: String(this.#params.pageSize),
          ...(continueAt !== undefined && { continue: continueAt }),
        },
        place: this.#state.place,
        withinMs: this.#listMs,
        signal: this.#stop.signal,
      });
      return toListPage(answer);
    } catch (error) {
      const isGone =
        isProvisioningError(error) && error.code === "STREAM_EXPIRED" && continueAt !== undefined;
      const expiries = isGone ? this.#budget.expired() : undefined;
      if (expiries === undefined) throw error;
      await this.#pace.pause(expiries);
      return undefined;
    }
  }

  /** One watch request, from the version reached so far. The server ends it, which is a sign of life. */
  async *#watch(): AsyncGenerator<SourceEvent, WatchOutcome> {
    const { client, context } = this.#options;
    const { clock, heartbeatMs } = context;
    const seconds = this.#pace.watchSeconds();
    const startedAt = clock.monotonic();
    const begunAt = clock.now();
    const isQuick = () => clock.monotonic() - startedAt < seconds * 500;
    const batches = client.getEvents({
      verb: "watch",
      query: {
        watch: "1",
        allowWatchBookmarks: "true",
        resourceVersion: this.#state.version,
        timeoutSeconds: String(seconds),
      },
      place: this.#state.place,
      withinMs: seconds * 1_000 + heartbeatMs,
      lateCode: "STREAM_SILENT",
      signal: this.#stop.signal,
    });
    let hasEvents = false;
    try {
      const nextAt = () => this.#state.settlesAt;
      const isResuming = this.#phase === "resuming";
      for await (const batch of withDueTime(isResuming ? this.#replayed(batches) : batches, {
        clock,
        nextAt,
      })) {
        if (batch.length > 0) hasEvents = true;
        const event = this.#isResumed ? this.#take(batch) : await this.#resume(batch, begunAt);
        if (event === "expired") return event;
        if (event !== undefined) yield event;
      }
    } catch (error) {
      const isExpired =
        this.#phase === "resuming"
          ? refusesVersion(error)
          : isProvisioningError(error) && error.code === "STREAM_EXPIRED";
      if (!isExpired) throw error;
      if (!isQuick()) this.#budget.lasted();
      return "expired";
    }
    const verdict = this.#budget.ended({ isQuick: isQuick(), hasEvents });
    if (verdict === "exhausted") {
      // Not even a bookmark came: something else may answer at this address, which the next list will show.
      this.#phase = "listing";
      throw new ProvisioningError("STREAM_FAILED", "every watch was ended at once");
    }
    if (verdict === "useful" && clock.monotonic() - this.#provenAt >= heartbeatMs / 4) {
      if (!(await this.#prove())) return "expired";
      yield { type: "heartbeat" };
    }
    // A server that ends watches at once must not be asked all the time.
    if (this.#budget.quickEnds > 0) await this.#pace.pause(this.#budget.quickEnds);
    return "ended";
  }

  /** A snapshot was shown in this watch, so that events of the server are changes of it. */
  get #isResumed(): boolean {
    return this.#shown !== undefined;
  }

  /** The first batch since the remembered version: shown once the server has proved that this is its content. */
  async #resume(batch: readonly WatchEvent[], begunAt: number): Promise<SourceEvent | "expired"> {
    const { clock, heartbeatMs } = this.#options.context;
    this.#state.take(batch, clock.monotonic());
    // Changes are late already; without one the proof can wait, so that watchers do not ask together.
    if (batch.length === 0) await this.#pace.spread(heartbeatMs / 2);
    if (!(await this.#prove())) return "expired";
    if (batch.length === 0) this.#state.observedAt = begunAt;
    // It is not known when the endpoints left that vanished while no watch was running: the first snapshot is the current content.
    this.#state.settle();
    return this.#show();
  }

  /** The events since the remembered version, gathered into the first batch. */
  #replayed(
    batches: AsyncGenerator<readonly WatchEvent[], void>,
  ): AsyncGenerator<readonly WatchEvent[], void> {
    const { clock, heartbeatMs } = this.#options.context;
    return gatherFirst(batches, { clock, withinMs: Math.min(REPLAY_MS, heartbeatMs / 4) });
  }

  /** Whether the server's storage has reached this version: then the content is current. Later changes come with the next watch. */
  async #prove(): Promise<boolean> {
    const { client, context } = this.#options;
    const { clock } = context;
    const observedAt = clock.now();
    const startedAt = clock.monotonic();
    this.#phase = "watching";
    const { signal } = this.#stop;
    const withinMs = Math.max(context.heartbeatMs, 2_000);
    // Lets the watch that has just ended return its connection: behind a load balancer another connection may lead to another server.
    await clock.yield();
    if (!(await readConsistently({ client, state: this.#state, withinMs, signal }))) return false;
    this.#state.observedAt = observedAt;
    this.#state.confirmedAt = startedAt;
    this.#provenAt = startedAt;
    return true;
  }

  /** A change is a sign of life. A bookmark is not: it may come from the cache of a server that has lost its storage. */
  #take(batch: readonly WatchEvent[]): SourceEvent | undefined {
    const state = this.#state;
    const { members } = state;
    const { clock } = this.#options.context;
    state.take(batch, clock.monotonic());
    if (members !== state.members) {
      state.observedAt = clock.now();
      state.confirmedAt = clock.monotonic();
    }
    const event = this.#show();
    return event.type === "snapshot" ? event : undefined;
  }

  /** A snapshot when the members are not those that were shown last, otherwise a heartbeat. */
  #show(): SourceEvent {
    const { members } = this.#state;
    if (members === this.#shown) return { type: "heartbeat" };
    this.#shown = members;
    return { type: "snapshot", snapshot: this.#state.toSnapshot(this.#options.descriptor.id) };
  }

  get #maxPages(): number {
    return Math.max(USUAL_PAGES, Math.ceil(MAX_MEMBERS / this.#params.pageSize));
  }

  get #listMs(): number {
    return Math.max(this.#options.context.heartbeatMs * 2, 2_000);
  }
}

function tooManyPages(maxPages: number): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", `a list did not end after ${maxPages} pages`, {
    details: { maxPages },
  });
}
