import {
  isProvisioningError,
  ProvisioningError,
  sleep,
  whenAborted,
  type ProviderContext,
  type ProviderDescriptor,
  type SourceEvent,
} from "@holdfast/core";
import { MAX_MEMBERS } from "@holdfast/core/adapter";
import type { EndpointSource, WatchEvent } from "../access/api-client.ts";
import { EndpointState } from "./endpoint-state.ts";
import { gatherFirst } from "./gather-first.ts";
import type { KubernetesProviderParams } from "../kubernetes-params.ts";
import { toListPage, type ListPage } from "../wire/list-page.ts";
import { mayResumeAfter, refusesVersion } from "./resume-rules.ts";
import { readConsistently } from "./read-consistently.ts";
import type { WatchMemory } from "./watch-memory.ts";
import { withDueTime } from "./with-due-time.ts";

export interface EndpointWatchOptions {
  readonly descriptor: ProviderDescriptor<KubernetesProviderParams>;
  readonly context: ProviderContext;
  readonly client: EndpointSource;
  readonly memory: WatchMemory;
  readonly signal: AbortSignal;
}

type WatchOutcome = "ended" | "expired";

/** Lists that expired before the watch brought anything, in a row, after which the watch gives up. */
const MAX_EXPIRIES = 3;
/** Watches that ended early without a word, in a row, after which the watch gives up. */
const MAX_MUTE = 4;
/** A list may have so many pages, or as many as a million slices fill: one of more never ends. */
const USUAL_PAGES = 1_000;
const FIRST_GAP_MS = 100;
const MAX_GAP_MS = 1_000;
/** How long a server may take to send what it has had since the version that was remembered. */
const REPLAY_MS = 200;

/**
 * One watch of EndpointSlices: a list, read consistently and page by page, and then watch after watch from the version the
 * last one came to. After one that failed no list is needed where the server still knows the version that one had come to. It
 * may throw as its signal aborts, which `ProviderLife` keeps to itself.
 */
export class EndpointWatch {
  readonly #options: EndpointWatchOptions;
  readonly #params: KubernetesProviderParams;
  readonly #stop = new AbortController();
  #state: EndpointState;
  /** The list that `#state` began with is complete, and nothing has cast doubt on it since. */
  #isWhole = false;
  /** It was remembered, and the server has not said yet that this is the content. */
  #isRemembered = false;
  /** When the server last proved that its content is current; monotonic. */
  #provenAt: number = Number.NEGATIVE_INFINITY;
  /** Something has been shown. */
  #isTold = false;
  /** Lists that expired, and watches that ended early, in a row. */
  #expiries = 0;
  #quickEnds = 0;
  #mute = 0;

  constructor(options: EndpointWatchOptions) {
    this.#options = options;
    this.#params = options.descriptor.params;
    this.#state = new EndpointState(this.#params);
  }

  async *events(): AsyncGenerator<SourceEvent, void> {
    const { signal, memory } = this.#options;
    using _ = whenAborted(signal, () => this.#stop.abort(signal.reason));
    const remembered = memory.begin();
    if (remembered !== undefined) {
      this.#state = remembered;
      this.#isWhole = true;
      this.#isRemembered = true;
    }
    let left: EndpointState | undefined;
    try {
      if (!this.#isRemembered) yield await this.#list();
      for (;;) {
        const outcome = yield* this.#watch();
        if (outcome === "ended") continue;
        this.#isWhole = false;
        await this.#beforeNextList();
        yield await this.#list();
      }
    } catch (error) {
      if (this.#isWhole && mayResumeAfter(error)) left = this.#state;
      throw error;
    } finally {
      memory.end(left);
      this.#stop.abort();
    }
  }

  /** Throws `STREAM_EXPIRED` when lists are of no use. */
  #beforeNextList(): Promise<void> {
    if (this.#isRemembered) {
      this.#isRemembered = false;
      return this.#spread(this.#options.context.heartbeatMs);
    }
    if (++this.#expiries > MAX_EXPIRIES)
      throw new ProvisioningError(
        "STREAM_EXPIRED",
        "every version listed was gone before it could be watched",
      );
    return this.#pause(this.#expiries);
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
    this.#isWhole = false;
    const observedAt = clock.now();
    const startedAt = clock.monotonic();
    state.place = await client.locate(signal);
    let gone = new Set(state.keys);
    let version: string | undefined;
    let continueAt: string | undefined;
    let pages = 0;
    do {
      const page = await this.#readPage(continueAt);
      // A list that has to begin again is of a newer version, where slices of its first pages may be gone.
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
    const { members } = state;
    await state.endList(gone, version, { clock, signal });
    state.observedAt = observedAt;
    state.confirmedAt = startedAt;
    this.#provenAt = startedAt;
    this.#isWhole = true;
    return this.#show(members !== state.members);
  }

  /** Undefined when the list has to begin again, because its next page is gone. */
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
      if (!isGone || ++this.#expiries > MAX_EXPIRIES) throw error;
      await this.#pause(this.#expiries);
      return undefined;
    }
  }

  /** One request, from the version the last one came to. The server ends it, and that is a sign of life. */
  async *#watch(): AsyncGenerator<SourceEvent, WatchOutcome> {
    const { client, context } = this.#options;
    const { clock, heartbeatMs } = context;
    const seconds = this.#watchSeconds();
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
    let isNews = false;
    try {
      const nextAt = () => this.#state.settlesAt;
      const told = withDueTime(this.#isTold ? batches : this.#replayed(batches), { clock, nextAt });
      for await (const batch of told) {
        if (batch.length > 0) isNews = true;
        if (this.#isTold) {
          const event = this.#take(batch);
          if (event !== undefined) yield event;
          continue;
        }
        this.#state.take(batch, clock.monotonic());
        // Where there is news it is late already.
        if (batch.length === 0) await this.#spread(heartbeatMs / 2);
        if (!(await this.#prove())) return "expired";
        if (batch.length === 0) this.#state.observedAt = begunAt;
        // What vanished while no watch was running did so an unknown time ago: the first snapshot is the current content.
        this.#state.settle();
        yield this.#show(true);
      }
    } catch (error) {
      const isExpired = this.#isRemembered
        ? refusesVersion(error)
        : isProvisioningError(error) && error.code === "STREAM_EXPIRED";
      if (!isExpired) throw error;
      if (!isQuick()) this.#expiries = 0;
      return "expired";
    }
    this.#quickEnds = isQuick() ? this.#quickEnds + 1 : 0;
    this.#mute = this.#quickEnds > 0 && !isNews ? this.#mute + 1 : 0;
    if (this.#mute > MAX_MUTE) {
      // Not even a bookmark: that may be anybody, and a list will show who it is.
      this.#isWhole = false;
      throw new ProvisioningError("STREAM_FAILED", "every watch was ended at once");
    }
    if (this.#mute === 0) {
      this.#expiries = 0;
      if (clock.monotonic() - this.#provenAt >= heartbeatMs / 4) {
        if (!(await this.#prove())) return "expired";
        yield { type: "heartbeat" };
      }
    }
    // A server that ends watches at once must not be asked all the time.
    if (this.#quickEnds > 0) await this.#pause(this.#quickEnds);
    return "ended";
  }

  /** What the server had since the remembered version is taken in at once. */
  #replayed(
    batches: AsyncGenerator<readonly WatchEvent[], void>,
  ): AsyncGenerator<readonly WatchEvent[], void> {
    const { clock, heartbeatMs } = this.#options.context;
    return gatherFirst(batches, { clock, withinMs: Math.min(REPLAY_MS, heartbeatMs / 4) });
  }

  /**
   * Whether the server's storage has come to this version. What the watch brought is its content then: whatever has happened since
   * comes with the next one.
   */
  async #prove(): Promise<boolean> {
    const { client, context } = this.#options;
    const { clock } = context;
    const observedAt = clock.now();
    const startedAt = clock.monotonic();
    this.#isRemembered = false;
    const { signal } = this.#stop;
    const withinMs = Math.max(context.heartbeatMs, 2_000);
    // The watch that has just ended gives its connection back first: behind a load balancer another one may lead to another server.
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
    const event = this.#show(members !== state.members);
    return event.type === "snapshot" ? event : undefined;
  }

  #show(isNew: boolean): SourceEvent {
    const snapshot = this.#state.toSnapshot(this.#options.descriptor.id);
    if (this.#isTold && !isNew) return { type: "heartbeat" };
    this.#isTold = true;
    return { type: "snapshot", snapshot };
  }

  get #maxPages(): number {
    return Math.max(USUAL_PAGES, Math.ceil(MAX_MEMBERS / this.#params.pageSize));
  }

  get #listMs(): number {
    return Math.max(this.#options.context.heartbeatMs * 2, 2_000);
  }

  /**
   * Bookmarks of an idle watch come once a minute, but a sign of life is due every `heartbeatMs`. So a watch is short enough
   * for its end to be that sign. Random, so that watchers do not come back together.
   */
  #watchSeconds(): number {
    const { heartbeatMs, random } = this.#options.context;
    const wantedMs = heartbeatMs * (0.6 + 0.3 * random());
    return Math.max(1, Math.floor(Math.min(wantedMs, this.#params.watchTimeoutMs) / 1_000));
  }

  /** What failed has failed for all watchers of the server, and they must not come back together. */
  #spread(withinMs: number): Promise<void> {
    const { clock, random } = this.#options.context;
    return sleep(random() * withinMs, { clock, signal: this.#stop.signal });
  }

  /** Longer with each one in a row, a second or a third of a heartbeat at most (full jitter). */
  #pause(inRow: number): Promise<void> {
    const { clock, random, heartbeatMs } = this.#options.context;
    const ceilingMs = Math.min(FIRST_GAP_MS * 2 ** (inRow - 1), MAX_GAP_MS, heartbeatMs / 3);
    return sleep(random() * ceilingMs, { clock, signal: this.#stop.signal });
  }
}

function tooManyPages(maxPages: number): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", `a list did not end after ${maxPages} pages`, {
    details: { maxPages },
  });
}
