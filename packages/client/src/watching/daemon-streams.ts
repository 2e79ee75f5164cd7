import {
  DEFAULT_TOPOLOGY,
  ProvisioningError,
  readUntilAborted,
  type ProviderId,
  type SourceEvent,
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
import { ConfirmedContent } from "./confirmed-content.ts";
import { DaemonTopic } from "./daemon-topic.ts";
import { StaleLimit } from "./stale-limit.ts";
import { Subscriber } from "./subscriber.ts";
import { TopologyRelay } from "./topology-relay.ts";

/** A million members of 250 characters each. */
const MAX_EVENT_LENGTH = 268_435_456;

export interface DaemonStreamsOptions {
  readonly source: DaemonSource;
  /** The id of this process, when it serves what it follows. @defaultValue it does not */
  readonly instance?: string | undefined;
}

/** One topology of a daemon, as the source of a provider. */
export interface TopologyWatch {
  /** Proves that the daemon accepts the credentials and sends the log of the topology, and closes the connection. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  /**
   * The content of the daemon first, then every change. A stale topology is `held`, up to `maxStaleMs`; one that is `unavailable`
   * throws; a daemon that stops ends the stream. Content that came through this process is `held` while the daemon is current, and
   * throws `TOPOLOGY_LOOP` when it is stale.
   */
  readonly watch: (signal: AbortSignal) => AsyncGenerator<SourceEvent, void>;
}

export interface TopologyWatchOptions {
  /** Signs the snapshots. */
  readonly providerId: ProviderId;
  /** @defaultValue the daemon's default topology */
  readonly topology?: TopologyName | undefined;
  /** A daemon whose content has been stale for longer counts as failed, in milliseconds. @defaultValue Infinity */
  readonly maxStaleMs?: number | undefined;
  /** Shared with other daemons that serve the same topology. @defaultValue not shared */
  readonly memory?: ContentMemory | undefined;
}

/**
 * The topologies of one daemon. Those that are watched at the same time share one connection, which is opened again when one is added.
 * What was received is kept for the next connection, which then continues the logs where the daemon still has them.
 */
export class DaemonStreams {
  readonly #options: DaemonStreamsOptions;
  readonly #topics = new Map<TopologyName, DaemonTopic>();
  readonly #read = createNodeReader();
  #isServing = false;
  /** Ends the current connection. */
  #stop: AbortController | undefined;

  constructor(options: DaemonStreamsOptions) {
    this.#options = options;
  }

  topology({ providerId, topology, maxStaleMs, memory }: TopologyWatchOptions): TopologyWatch {
    const { source } = this.#options;
    const name = topology ?? DEFAULT_TOPOLOGY;
    const staleLimit = new StaleLimit(source.clock, maxStaleMs ?? Number.POSITIVE_INFINITY);
    const relayOptions = { providerId, url: source.url, staleLimit, confirmed: new ConfirmedContent() };
    return {
      probe: (signal) => this.#probe(name, signal),
      watch: (signal) => this.#watch(this.#topic(name, memory), new TopologyRelay(relayOptions), signal),
    };
  }

  async #probe(name: TopologyName, signal: AbortSignal): Promise<void> {
    const { source } = this.#options;
    const stop = new AbortController();
    try {
      const { body } = await openStream(source, [{ name }], AbortSignal.any([signal, stop.signal]));
      for await (const _ of readUntilAborted(body, signal)) return;
      throw new ProvisioningError("CONNECTIVITY_UNAVAILABLE", `${source.url} sent nothing`);
    } finally {
      stop.abort();
    }
  }

  async *#watch(
    topic: DaemonTopic,
    relay: TopologyRelay,
    signal: AbortSignal,
  ): AsyncGenerator<SourceEvent, void> {
    const subscriber = new Subscriber(relay);
    try {
      topic.add(subscriber);
      if (!this.#isServing) void this.#serve();
      // The connection is opened again, with this topology.
      else if (!topic.isServed) this.#stop?.abort();
      yield* subscriber.events(signal);
    } finally {
      topic.delete(subscriber, !signal.aborted);
      if (!this.#isWatched) this.#stop?.abort();
    }
  }

  get #isWatched(): boolean {
    return this.#topics.values().some(({ isWatched }) => isWatched);
  }

  #topic(name: TopologyName, memory: ContentMemory | undefined): DaemonTopic {
    const { source, instance } = this.#options;
    const { url, clock } = source;
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const topic = new DaemonTopic({ name, url, clock, read: this.#read, instance, memory });
    this.#topics.set(name, topic);
    return topic;
  }

  /** Keeps a connection open while a topology is watched. Never rejects. */
  async #serve(): Promise<void> {
    this.#isServing = true;
    while (this.#isWatched) {
      // Watches that begin at the same moment share the connection.
      await this.#options.source.clock.yield();
      for (const [name, { isWanted }] of this.#topics) if (!isWanted) this.#topics.delete(name);
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
