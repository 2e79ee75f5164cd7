import { throwIfAborted, type Clock, type LogPosition } from "@holdfast/core";
import { parseDaemonMessage } from "../connection/daemon-message.ts";
import type { StreamItem } from "../connection/event-stream-parser.ts";
import type { TopologyMirror } from "./topology-mirror.ts";

export interface TopologyFeedOptions {
  readonly mirror: TopologyMirror;
  readonly clock: Clock;
  /** The id of this process, when it serves what it follows. */
  readonly instance: string | undefined;
  /** The last position that was up to date, on any connection. A state may be a moment older. */
  readonly seen: LogPosition | undefined;
}

/** What one connection has brought about one topology. */
export class TopologyFeed {
  readonly mirror: TopologyMirror;
  readonly #options: TopologyFeedOptions;
  /** Events that were missed come first. What the mirror has before the last of them is old. */
  #isCatchingUp: boolean;
  #via: readonly string[] | undefined;
  #isLoop = false;
  #isWhole = false;
  #isBroken = false;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #observedAt = 0;

  constructor(options: TopologyFeedOptions) {
    this.#options = options;
    this.mirror = options.mirror;
    this.#isCatchingUp = options.mirror.position !== undefined;
  }

  /** The daemons between the backend and this process, the nearest first. Ends before this process if that is one of them. */
  get via(): readonly string[] | undefined {
    return this.#via;
  }

  /** The content came through this process. */
  get isLoop(): boolean {
    return this.#isLoop;
  }

  /** The last item was sent when there was no further event. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** An item could not be applied: the topology has to be read again as a whole. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Wall-clock milliseconds of the last item. */
  get observedAt(): number {
    return this.#observedAt;
  }

  /** Whether everything that was missed has arrived, and the last item is not older than `withinMs`. */
  isCurrent(withinMs: number): boolean {
    return !this.#isBroken && this.#options.clock.monotonic() - this.#confirmedAt <= withinMs;
  }

  /**
   * Takes the next item. Returns whether the mirror is up to date: not while missed events are still arriving. Rejects with
   * `STREAM_INVALID_DATA` for an item that does not fit, after which the feed is broken.
   */
  async take(item: StreamItem, signal: AbortSignal): Promise<boolean> {
    const { clock, mirror } = this.#options;
    const wasLoop = this.#isLoop;
    if (item.type === "event") {
      this.#isBroken = true;
      const message = parseDaemonMessage(item.event, item.data);
      if (message.type === "via") this.#takeVia(message.instances);
      else await mirror.apply(message, { clock, signal });
      this.#isBroken = false;
    }
    throwIfAborted(signal);
    // The content that came through this process is the newest until the next item.
    if (wasLoop && !this.#isLoop) return false;
    // A state may be a moment old: the events since then follow.
    this.#isWhole = item.type === "comment";
    if (this.#isWhole || (item.type === "event" && item.event === "state")) this.#isCatchingUp = false;
    if (this.#isCatchingUp || this.#isBehind) return false;
    this.#confirmedAt = clock.monotonic();
    this.#observedAt = clock.now();
    return true;
  }

  get #isBehind(): boolean {
    const { seen, mirror } = this.#options;
    const { position } = mirror;
    return seen !== undefined && position?.epoch === seen.epoch && position.seqNo < seen.seqNo;
  }

  #takeVia(instances: readonly string[]): void {
    const { instance } = this.#options;
    const own = instance === undefined ? -1 : instances.indexOf(instance);
    this.#isLoop = own >= 0;
    // Without the part that begins with this process, which would otherwise grow with every round.
    this.#via = own >= 0 ? instances.slice(0, own) : instances;
  }
}
