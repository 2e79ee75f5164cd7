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
import type { ApiClient } from "./api-client.ts";
import { EndpointSliceReader, type SliceContent } from "./endpoint-slice.ts";
import type { KubernetesProviderParams } from "./kubernetes-params.ts";
import { toListPage, type ListPage } from "./list-page.ts";
import { SliceSet } from "./slice-set.ts";
import { toRefusalError } from "./to-provisioning-error.ts";
import { parseWatchLine } from "./watch-line.ts";

export interface EndpointWatchOptions {
  readonly descriptor: ProviderDescriptor<KubernetesProviderParams>;
  readonly context: ProviderContext;
  readonly client: ApiClient;
  readonly signal: AbortSignal;
}

type WatchOutcome = "ended" | "expired";

/** Lists that expired before the watch brought anything, in a row, after which the watch gives up. */
const MAX_EXPIRIES = 3;
const FIRST_GAP_MS = 100;
const MAX_GAP_MS = 1_000;

/**
 * One watch of EndpointSlices, with the promises of `ClusterProvider.watch`: a list, read consistently and page by page, and
 * then watch after watch from the version the last one came to.
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
    } catch (error) {
      if (!signal.aborted) throw error;
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
    const gone = new Set(this.#slices.keys);
    let version: string | undefined;
    let continueAt: string | undefined;
    do {
      const page = await this.#readPage(continueAt);
      // A list that had to begin again is of a newer version, and what was taken of the old one is put again.
      if (page === undefined) {
        continueAt = undefined;
        continue;
      }
      const contents = this.#readSlices(page.items);
      for (const { key } of contents) gone.delete(key);
      this.#slices.apply(contents, []);
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

  #readSlices(items: readonly unknown[]): readonly SliceContent[] {
    const contents: SliceContent[] = [];
    for (const item of items) {
      const key = this.#reader.keyOf(item);
      if (key !== undefined) contents.push(this.#readSlice(key, item));
    }
    return contents;
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
    const lines = client.getLines({
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
      for await (const batch of lines) {
        if (batch.length === 0) continue;
        isNews = true;
        yield this.#takeLines(batch);
      }
    } catch (error) {
      if (isProvisioningError(error) && error.code === "STREAM_EXPIRED") return "expired";
      throw error;
    }
    this.#expiries = 0;
    yield { type: "heartbeat" };
    // A server that ends watches at once must not be asked all the time.
    const isQuick = !isNews && clock.monotonic() - startedAt < seconds * 500;
    this.#quickEnds = isQuick ? this.#quickEnds + 1 : 0;
    if (isQuick) await this.#pause(this.#quickEnds);
    return "ended";
  }

  #takeLines(batch: readonly string[]): ProviderEvent {
    const observedAt = this.#options.context.clock.now();
    let members = this.#members;
    for (const text of batch) {
      const line = parseWatchLine(text);
      if (line.type === "error") {
        const { server, ...refusal } = { server: "watched", request: "watch endpointslices", ...line };
        throw toRefusalError(refusal, server);
      }
      if (line.type !== "bookmark") {
        const key = this.#reader.keyOf(line.slice);
        if (key !== undefined) {
          const put = line.type === "put" ? [this.#readSlice(key, line.slice)] : [];
          members = members.apply(this.#slices.apply(put, put.length === 0 ? [key] : []));
        }
      }
      this.#version = line.resourceVersion;
      this.#expiries = 0;
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

  /** Longer with each one in a row, a second at most (full jitter). */
  #pause(inRow: number): Promise<void> {
    const { clock, random } = this.#options.context;
    const ceilingMs = Math.min(FIRST_GAP_MS * 2 ** (inRow - 1), MAX_GAP_MS);
    return sleep(random() * ceilingMs, { clock, signal: this.#stop.signal });
  }
}
