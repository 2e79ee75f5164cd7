import {
  createSnapshot,
  isProvisioningError,
  MemberSet,
  ProvisioningError,
  sleep,
  whenAborted,
  type ProviderContext,
  type ProviderDescriptor,
  type ProviderEvent,
} from "@holdfast/core";
import type { ApiClient, WatchEvent } from "./api-client.ts";
import { EndpointSliceReader, sliceKeyOf, toUnreadable, type SliceContent } from "./endpoint-slice.ts";
import type { KubernetesProviderParams } from "./kubernetes-params.ts";
import { toListPage, type ListPage } from "./list-page.ts";
import { SliceSet } from "./slice-set.ts";

export interface EndpointWatchOptions {
  readonly descriptor: ProviderDescriptor<KubernetesProviderParams>;
  readonly context: ProviderContext;
  readonly client: ApiClient;
  readonly signal: AbortSignal;
}

type WatchOutcome = "ended" | "expired";

/** Lists that expired before the watch brought anything, in a row, after which the watch gives up. */
const MAX_EXPIRIES = 3;
/** Watches that ended early without a word, in a row, after which the watch gives up. */
const MAX_MUTE = 4;
/** A list of more pages than this never ends. */
const MAX_PAGES = 10_000;
const FIRST_GAP_MS = 100;
const MAX_GAP_MS = 1_000;

/**
 * One watch of EndpointSlices: a list, read consistently and page by page, and then watch after watch from the version the
 * last one came to. It may throw as its signal aborts, which `ProviderLife` keeps to itself.
 */
export class EndpointWatch {
  readonly #options: EndpointWatchOptions;
  readonly #params: KubernetesProviderParams;
  readonly #stop = new AbortController();
  readonly #reader: EndpointSliceReader;
  readonly #slices = new SliceSet();
  #members: MemberSet = MemberSet.empty;
  /** The backend's; opaque. */
  #version = "";
  /** The first list has been told. */
  #isTold = false;
  /** Lists that expired, and watches that ended early, in a row. */
  #expiries = 0;
  #quickEnds = 0;
  #mute = 0;

  constructor(options: EndpointWatchOptions) {
    this.#options = options;
    this.#params = options.descriptor.params;
    this.#reader = new EndpointSliceReader(this.#params);
  }

  async *events(): AsyncGenerator<ProviderEvent, void> {
    const { signal } = this.#options;
    using _ = whenAborted(signal, () => this.#stop.abort(signal.reason));
    try {
      yield await this.#list();
      for (;;) {
        const outcome = yield* this.#watch();
        if (outcome === "ended") continue;
        if (++this.#expiries > MAX_EXPIRIES) {
          throw new ProvisioningError(
            "STREAM_EXPIRED",
            "every version listed was gone before it could be watched",
          );
        }
        await this.#pause(this.#expiries);
        yield await this.#list();
      }
    } finally {
      this.#stop.abort();
    }
  }

  /**
   * The whole content. Without a `resourceVersion`, so that it comes from storage and not from a server's cache that may lag
   * behind what was shown before (Kubernetes API concepts, "Semantics for get and list").
   */
  async #list(): Promise<ProviderEvent> {
    const { clock } = this.#options.context;
    const observedAt = clock.now();
    let gone = new Set(this.#slices.keys);
    let version: string | undefined;
    let continueAt: string | undefined;
    let pages = 0;
    do {
      const page = await this.#readPage(continueAt);
      // A list that has to begin again is of a newer version, where slices of its first pages may be gone.
      if (page === undefined) {
        gone = new Set(this.#slices.keys);
        continueAt = undefined;
        version = undefined;
        continue;
      }
      if (++pages > MAX_PAGES) throw tooManyPages();
      for (const [i, slice] of page.items.entries()) {
        const content = this.#readListed(slice, `#${continueAt ?? ""}${i}`);
        gone.delete(content.key);
        this.#slices.apply([content], []);
      }
      version = page.resourceVersion;
      ({ continueAt } = page);
      await clock.yield();
    } while (continueAt !== undefined || version === undefined);
    this.#slices.apply([], gone);
    const members = await this.#members.replaceSliced(this.#slices.nodes(), {
      clock,
      signal: this.#stop.signal,
    });
    this.#version = version;
    return this.#show(members, observedAt);
  }

  /** Undefined when the list has to begin again, because its next page is gone. */
  async #readPage(continueAt: string | undefined): Promise<ListPage | undefined> {
    const { client, context } = this.#options;
    try {
      const answer = await client.getJson({
        verb: "list",
        query: {
          limit: String(this.#params.pageSize),
          ...(continueAt !== undefined && { continue: continueAt }),
        },
        withinMs: Math.max(context.heartbeatMs * 2, 2_000),
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

  /** `position` names a slice that has no name. */
  #readListed(slice: unknown, position: string): SliceContent {
    const key = sliceKeyOf(slice);
    if (key === undefined) return toUnreadable(position, "metadata.name: expected a name");
    return this.#readSlice(key, slice);
  }

  #readSlice(key: string, slice: unknown): SliceContent {
    return this.#reader.read(key, slice, (id) => this.#members.get(id));
  }

  /** One request, from the version the last one came to. The server ends it, and that is a sign of life. */
  async *#watch(): AsyncGenerator<ProviderEvent, WatchOutcome> {
    const { client, context } = this.#options;
    const { clock, heartbeatMs } = context;
    const seconds = this.#watchSeconds();
    const startedAt = clock.monotonic();
    const isQuick = () => clock.monotonic() - startedAt < seconds * 500;
    const batches = client.getEvents({
      verb: "watch",
      query: {
        watch: "1",
        allowWatchBookmarks: "true",
        resourceVersion: this.#version,
        timeoutSeconds: String(seconds),
      },
      withinMs: seconds * 1_000 + heartbeatMs,
      lateCode: "STREAM_SILENT",
      signal: this.#stop.signal,
    });
    let isNews = false;
    try {
      for await (const batch of batches) {
        if (batch.length === 0) continue;
        isNews = true;
        yield this.#take(batch);
      }
    } catch (error) {
      if (!isProvisioningError(error) || error.code !== "STREAM_EXPIRED") throw error;
      if (!isQuick()) this.#expiries = 0;
      return "expired";
    }
    this.#quickEnds = isQuick() ? this.#quickEnds + 1 : 0;
    this.#mute = this.#quickEnds > 0 && !isNews ? this.#mute + 1 : 0;
    // Not even a bookmark: that may be anybody, and a list will show who it is.
    if (this.#mute > MAX_MUTE) throw new ProvisioningError("STREAM_FAILED", "every watch was ended at once");
    if (this.#mute === 0) {
      this.#expiries = 0;
      yield { type: "heartbeat" };
    }
    // A server that ends watches at once must not be asked all the time.
    if (this.#quickEnds > 0) await this.#pause(this.#quickEnds);
    return "ended";
  }

  #take(batch: readonly WatchEvent[]): ProviderEvent {
    const observedAt = this.#options.context.clock.now();
    let members = this.#members;
    for (const event of batch) {
      if (event.type === "put")
        members = members.apply(this.#slices.apply([this.#readSlice(event.key, event.slice)], []));
      if (event.type === "delete") members = members.apply(this.#slices.apply([], [event.key]));
      this.#version = event.resourceVersion;
    }
    return this.#show(members, observedAt);
  }

  /** Throws `STREAM_INVALID_DATA` when there are endpoints, and not one of them could be read. */
  #show(members: MemberSet, observedAt: number): ProviderEvent {
    const { skipped } = this.#slices;
    if (members.size === 0 && skipped !== undefined) {
      throw new ProvisioningError(
        "STREAM_INVALID_DATA",
        `none of ${skipped.count} endpoints could be read: ${skipped.reasons.join("; ")}`,
        { details: { skipped } },
      );
    }
    const isSame = this.#isTold && members === this.#members;
    this.#members = members;
    this.#isTold = true;
    if (isSame) return { type: "heartbeat" };
    const { id: providerId } = this.#options.descriptor;
    const snapshot = createSnapshot({ providerId, members, observedAt, revision: this.#version, skipped });
    return { type: "snapshot", snapshot };
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

  /** Longer with each one in a row, a second or a third of a heartbeat at most (full jitter). */
  #pause(inRow: number): Promise<void> {
    const { clock, random, heartbeatMs } = this.#options.context;
    const ceilingMs = Math.min(FIRST_GAP_MS * 2 ** (inRow - 1), MAX_GAP_MS, heartbeatMs / 3);
    return sleep(random() * ceilingMs, { clock, signal: this.#stop.signal });
  }
}

function tooManyPages(): ProvisioningError {
  return new ProvisioningError("STREAM_INVALID_DATA", `a list did not end after ${MAX_PAGES} pages`, {
    details: { maxPages: MAX_PAGES },
  });
}
