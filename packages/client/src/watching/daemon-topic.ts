import type { Clock, LogPosition, TopologyName } from "@holdfast/core";
import type { NodeReader } from "@holdfast/core/portable";
import type { StreamItem } from "../connection/event-stream-parser.ts";
import { toUnknownTopology, type StreamTopic } from "../connection/open-stream.ts";
import { ContentMemory } from "../mirror/content-memory.ts";
import { TopologyFeed } from "../mirror/topology-feed.ts";
import { TopologyMirror } from "../mirror/topology-mirror.ts";
import type { Subscriber } from "./subscriber.ts";

export interface DaemonTopicOptions {
  readonly name: TopologyName;
  /** The address of the daemon, for messages. */
  readonly url: string;
  readonly clock: Clock;
  readonly read: NodeReader;
  readonly instance: string | undefined;
  readonly memory: ContentMemory | undefined;
}

/** How long a topology whose watch failed is kept on the stream, because the watch is about to begin again, in milliseconds. */
const LINGER_MS = 60_000;
/** The time between two signs of life of a daemon, in milliseconds. */
const KEEP_ALIVE_MS = 5_000;

/** One topology of a daemon: what was received of it, and who watches it. */
export class DaemonTopic {
  readonly name: TopologyName;
  readonly #options: DaemonTopicOptions;
  readonly #memory: ContentMemory;
  readonly #subscribers = new Set<Subscriber>();
  /** What the next connection continues with. */
  #mirror: TopologyMirror | undefined;
  /** Present while a connection serves this topology. */
  #feed: TopologyFeed | undefined;
  /** The last position that was up to date. */
  #seen: LogPosition | undefined;
  #isGone = false;
  #lingersUntil = Number.NEGATIVE_INFINITY;

  constructor(options: DaemonTopicOptions) {
    this.name = options.name;
    this.#options = options;
    this.#memory = options.memory ?? new ContentMemory();
  }

  get isWatched(): boolean {
    return this.#subscribers.size > 0;
  }

  /** Whether a new connection should serve it. */
  get isWanted(): boolean {
    return this.isWatched || this.#options.clock.monotonic() < this.#lingersUntil;
  }

  /** Whether the connection brings its items. Those of one that is gone follow if it appears again. */
  get isServed(): boolean {
    return this.#feed !== undefined && !this.#feed.isBroken;
  }

  add(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber);
    const feed = this.#feed;
    if (this.#isGone) this.#failAll(this.#toGoneError());
    else if (feed?.isCurrent(KEEP_ALIVE_MS) === true) this.#pass(subscriber, feed);
  }

  /** `willReturn`: the watch has failed and will begin again. */
  delete(subscriber: Subscriber, willReturn: boolean): void {
    this.#subscribers.delete(subscriber);
    this.#lingersUntil = willReturn ? this.#options.clock.monotonic() + LINGER_MS : Number.NEGATIVE_INFINITY;
  }

  /** A connection begins. Returns what to ask for. */
  begin(): StreamTopic {
    const { mirror } = this.#createFeed();
    return { name: this.name, position: mirror.position, have: mirror.offer()?.hash };
  }

  /** The connection has ended. With an error, so have the watches. */
  end(failure?: { readonly error: unknown }): void {
    this.#feed = undefined;
    this.#isGone = false;
    if (failure !== undefined) this.#failAll(failure.error);
  }

  /** Takes an item of the connection. Never rejects: what does not fit ends the watches of this topology. */
  async take(item: StreamItem, signal: AbortSignal): Promise<void> {
    if (this.#isGone && item.type === "event") this.#createFeed();
    const feed = this.#feed;
    if (feed === undefined || feed.isBroken || this.#isGone) return;
    try {
      if (!(await feed.take(item, signal))) return;
      this.#seen = feed.mirror.position;
      for (const subscriber of this.#subscribers) this.#pass(subscriber, feed);
    } catch (error) {
      if (signal.aborted) return;
      // What could not be applied is read again as a whole.
      this.#mirror = undefined;
      this.#memory.newest = undefined;
      this.#failAll(error);
    }
  }

  /** The daemon has it no longer. */
  takeGone(): void {
    this.#isGone = true;
    this.#mirror = undefined;
    this.#failAll(this.#toGoneError());
  }

  #createFeed(): TopologyFeed {
    const { clock, read, instance } = this.#options;
    this.#mirror ??= new TopologyMirror({ read, memory: this.#memory });
    this.#isGone = false;
    this.#feed = new TopologyFeed({ mirror: this.#mirror, clock, instance, seen: this.#seen });
    return this.#feed;
  }

  #toGoneError(): Error {
    return toUnknownTopology(this.#options.url, [this.name]);
  }

  #pass(subscriber: Subscriber, feed: TopologyFeed): void {
    if (!subscriber.take(feed)) this.delete(subscriber, true);
  }

  #failAll(error: unknown): void {
    for (const subscriber of this.#subscribers) {
      subscriber.fail(error);
      this.delete(subscriber, true);
    }
  }
}
