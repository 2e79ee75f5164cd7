import {
  ProvisioningError,
  readUntilAborted,
  type TopologyName,
  untilAborted,
  whenAborted,
} from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/portable";
import type { DaemonSource } from "../connection/daemon-source.ts";
import { EventStreamParser, type StreamItem } from "../connection/event-stream-parser.ts";
import { toNamedItem } from "../connection/named-item.ts";
import { openStream } from "../connection/open-stream.ts";
import type { ContentMemory } from "../mirror/content-memory.ts";
import { DaemonTopic } from "./daemon-topic.ts";
import type { Subscriber } from "./subscriber.ts";

/** A million members of 250 characters each. */
const MAX_EVENT_LENGTH = 268_435_456;
/** Maximum length of the URL of a request. Servers and proxies should accept 8000 octets (RFC 9110, 4.1). */
const MAX_URL_LENGTH = 8_000;
/** What the URL needs for a topology in addition to its name: the parameter, a position and a hash. */
const POSITION_LENGTH = 100;

export interface DaemonStreamOptions {
  readonly source: DaemonSource;
  /** The id of this process, when it serves what it follows. @defaultValue it does not */
  readonly instance?: string | undefined;
}

/**
 * Topologies of one daemon that share one connection, which is opened again when one is added. What was received is kept for the next
 * connection, which then continues the logs where the daemon still has them.
 */
export class DaemonStream {
  readonly #options: DaemonStreamOptions;
  readonly #topics = new Map<TopologyName, DaemonTopic>();
  readonly #read = createNodeReader();
  #isServing = false;
  /** Ends the current connection. */
  #stop: AbortController | undefined;

  constructor(options: DaemonStreamOptions) {
    this.#options = options;
  }

  has(name: TopologyName): boolean {
    return this.#topics.has(name);
  }

  /** Whether the URL of a request stays short enough with one more topology. */
  hasRoomFor(name: TopologyName): boolean {
    this.#forget();
    let length = this.#options.source.url.length + lengthOf(name);
    for (const known of this.#topics.keys()) length += lengthOf(known);
    return length <= MAX_URL_LENGTH;
  }

  /** Returns the topology with this name, or adds it. `memory` is shared with other daemons that serve it. */
  topic(name: TopologyName, memory: ContentMemory | undefined): DaemonTopic {
    const { source, instance } = this.#options;
    const { url, clock } = source;
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic = new DaemonTopic({ name, url, clock, read: this.#read, instance, memory });
    this.#topics.set(name, topic);
    return topic;
  }

  /** Adds a subscriber to one of the topologies. Opens the connection if necessary. */
  add(topic: DaemonTopic, subscriber: Subscriber): void {
    topic.add(subscriber);
    if (!this.#isServing) void this.#serve();
    // The connection is opened again, with this topology.
    else if (!topic.isServed) this.#stop?.abort();
  }

  /** Removes a subscriber. `willReturn`: the watch has failed and will begin again. */
  delete(topic: DaemonTopic, subscriber: Subscriber, willReturn: boolean): void {
    topic.delete(subscriber, willReturn);
    if (!this.#isWatched) this.#stop?.abort();
  }

  get #isWatched(): boolean {
    return this.#topics.values().some(({ isWatched }) => isWatched);
  }

  #forget(): void {
    for (const [name, { isWanted }] of this.#topics) if (!isWanted) this.#topics.delete(name);
  }

  /** Keeps a connection open while a topology is watched. Never rejects. */
  async #serve(): Promise<void> {
    this.#isServing = true;
    while (this.#isWatched) {
      // Watches that begin at the same moment share the connection.
      await this.#options.source.clock.yield();
      this.#forget();
      if (this.#isWatched) await this.#connect(new Map(this.#topics));
    }
    this.#isServing = false;
  }

  /** Resolves when the connection has ended. */
  async #connect(topics: Topics): Promise<void> {
    const stop = new AbortController();
    this.#stop = stop;
    // At once, so that a watch which begins now waits for the next connection.
    using _ = whenAborted(stop.signal, () => topics.forEach((topic) => topic.end()));
    try {
      await this.#readStream(topics, stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) for (const topic of topics.values()) topic.end({ error });
    }
    this.#stop = undefined;
    stop.abort();
  }

  async #readStream(topics: Topics, signal: AbortSignal): Promise<void> {
    const { source } = this.#options;
    const asked = topics.values().map((topic) => topic.begin());
    const { body } = await untilAborted(openStream(source, asked.toArray(), signal), signal);
    const parser = new EventStreamParser({ maxEventLength: MAX_EVENT_LENGTH });
    for await (const bytes of readUntilAborted(body, signal)) {
      for (const item of parser.push(bytes)) await pass(item, topics, signal);
    }
    throw new ProvisioningError("STREAM_FAILED", `the connection to ${source.url} was closed`);
  }
}

function lengthOf(name: TopologyName): number {
  return name.length + POSITION_LENGTH;
}

type Topics = ReadonlyMap<TopologyName, DaemonTopic>;

async function pass(item: StreamItem, topics: Topics, signal: AbortSignal): Promise<void> {
  if (item.type === "comment" || topics.size === 1) {
    for (const topic of topics.values()) await topic.take(item, signal);
    return;
  }
  const { name, item: unnamed } = toNamedItem(item);
  const topic = topics.get(name);
  if (item.event === "gone") topic?.takeGone();
  else await topic?.take(unnamed, signal);
}
