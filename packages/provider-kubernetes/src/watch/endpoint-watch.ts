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

/** The maximum number of pages when a million slices need fewer. A list with more pages is considered endless. */
const USUAL_PAGES = 1_000;
/** How long to wait for the events since the remembered version, in milliseconds. */
const REPLAY_MS = 200;

/**
 * One watch of EndpointSlices: a list, which is read consistently and page by page, and then successive watch requests,
 * each from the version that the previous one reached. After a failure, no list is needed if the server still has the
 * version that was reached. Errors after its signal has aborted are ignored.
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
  /** When the server last confirmed that its content is current, in milliseconds of the monotonic clock. */
  #confirmedAt: number = Number.NEGATIVE_INFINITY;

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
    let resumable: EndpointState | undefined;
    try {
      if (this.#phase === "listing") yield await this.#list();
      for (;;) {
        const outcome = yield* this.#watch();
        if (outcome === "ended") continue;
        await this.#waitForList();
        yield await this.#list();
      }
    } catch (error) {
      if (this.#phase !== "listing" && mayResumeAfter(error)) resumable = this.#state;
      throw error;
    } finally {
      memory.end(resumable);
      this.#stop.abort();
    }
  }

  /**
   * Called when the version has expired: waits before the next list. Throws `STREAM_EXPIRED` when too many lists have
   * expired.
   */
  #waitForList(): Promise<void> {
    const isResuming = this.#phase === "resuming";
    this.#phase = "listing";
    if (isResuming) return this.#pace.waitRandomly(this.#options.context.heartbeatMs);
    const expiries = this.#budget.expired();
    if (expiries !== undefined) return this.#pace.pause(expiries);
    throw new ProvisioningError("STREAM_EXPIRED", "every listed version expired before it could be watched");
  }

  /**
   * Lists the complete content. The request has no `resourceVersion`, so that the response comes from storage. The
   * cache of a server may be older than the last snapshot (Kubernetes API concepts, "Semantics for get and list").
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
      // The new list has a newer version, in which slices of the first pages may have been deleted.
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
    this.#confirmedAt = startedAt;
    this.#phase = "watching";
    return this.#toEvent();
  }

  /** Returns undefined when the next page has expired and the list must start again. */
  async #readPage(continueAt: string | undefined): Promise<ListPage | undefined> {
    const { client } = this.#options;
    try {
      const response = await client.getJson({
        verb: "list",
        query: {
          limit: String(this.#params.pageSize),
          ...(continueAt !== undefined && { continue: continueAt }),
        },
        place: this.#state.place,
        withinMs: this.#listMs,
        signal: this.#stop.signal,
      });
      return toListPage(response);
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
  async *#watch(): AsyncGenerator<SourceEvent, WatchOutcome> {
    const { client, context } = this.#options;
    const { clock, heartbeatMs } = context;
    const seconds = this.#pace.watchSeconds();
    const startedAt = clock.monotonic();
    const requestedAt = clock.now();
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
        const event = this.#isResumed ? this.#applyBatch(batch) : await this.#resume(batch, requestedAt);
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
      // There was not even a bookmark, so another program may be responding at this address. The next list will show
      // that.
      this.#phase = "listing";
      throw new ProvisioningError("STREAM_FAILED", "the server ended every watch at once, without an event");
    }
    if (verdict === "useful" && clock.monotonic() - this.#confirmedAt >= heartbeatMs / 4) {
      if (!(await this.#confirm())) return "expired";
      yield { type: "heartbeat" };
    }
    // A server that ends watches at once must not receive requests without pauses.
    if (this.#budget.quickEnds > 0) await this.#pace.pause(this.#budget.quickEnds);
    return "ended";
  }

  /** True when this watch has emitted a snapshot, so that the events of the server are changes to it. */
  get #isResumed(): boolean {
    return this.#shown !== undefined;
  }

  /**
   * Processes the first batch since the remembered version. It is emitted after the server has confirmed that its
   * content is current.
   */
  async #resume(batch: readonly WatchEvent[], requestedAt: number): Promise<SourceEvent | "expired"> {
    const { clock, heartbeatMs } = this.#options.context;
    this.#state.apply(batch, clock.monotonic());
    // Changes are already late, so they are confirmed at once. Without changes the confirmation can wait a random time,
    // so that not all watches ask together.
    if (batch.length === 0) await this.#pace.waitRandomly(heartbeatMs / 2);
    if (!(await this.#confirm())) return "expired";
    if (batch.length === 0) this.#state.observedAt = requestedAt;
    // It is not known when endpoints disappeared while no watch was running, so the first snapshot contains only the
    // current content.
    this.#state.removePending();
    return this.#toEvent();
  }

  /** Collects the events since the remembered version into the first batch. */
  #replayed(
    batches: AsyncGenerator<readonly WatchEvent[], void>,
  ): AsyncGenerator<readonly WatchEvent[], void> {
    const { clock, heartbeatMs } = this.#options.context;
    return gatherFirst(batches, { clock, withinMs: Math.min(REPLAY_MS, heartbeatMs / 4) });
  }

  /**
   * Returns true when the storage of the server has reached this version, so that the content is current. Later changes
   * come with the next watch.
   */
  async #confirm(): Promise<boolean> {
    const { client, context } = this.#options;
    const { clock } = context;
    const observedAt = clock.now();
    const startedAt = clock.monotonic();
    this.#phase = "watching";
    const { signal } = this.#stop;
    const withinMs = Math.max(context.heartbeatMs, 2_000);
    // The watch that has just ended can return its connection first. Behind a load balancer, another connection may
    // lead to another server.
    await clock.yield();
    if (!(await readConsistently({ client, state: this.#state, withinMs, signal }))) return false;
    this.#state.observedAt = observedAt;
    this.#state.confirmedAt = startedAt;
    this.#confirmedAt = startedAt;
    return true;
  }

  /**
   * Applies a batch. A change confirms that the server is alive. A bookmark does not, because it may come from the
   * cache of a server that has lost its storage.
   */
  #applyBatch(batch: readonly WatchEvent[]): SourceEvent | undefined {
    const state = this.#state;
    const { members } = state;
    const { clock } = this.#options.context;
    state.apply(batch, clock.monotonic());
    if (members !== state.members) {
      state.observedAt = clock.now();
      state.confirmedAt = clock.monotonic();
    }
    const event = this.#toEvent();
    return event.type === "snapshot" ? event : undefined;
  }

  /** Returns a snapshot when the members differ from the last snapshot, otherwise a heartbeat. */
  #toEvent(): SourceEvent {
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
