import {
  DEFAULT_TOPOLOGY,
  ProvisioningError,
  readUntilAborted,
  type ProviderId,
  type SourceEvent,
  type TopologyName,
} from "@holdfast/core";
import { openStream } from "../connection/open-stream.ts";
import type { ContentMemory } from "../mirror/content-memory.ts";
import { DaemonStream, type DaemonStreamOptions } from "./daemon-stream.ts";
import { NewestContent } from "./newest-content.ts";
import { StaleLimit } from "./stale-limit.ts";
import { Subscriber } from "./subscriber.ts";
import { TopologyRelay } from "./topology-relay.ts";

/** One topology of a daemon, as the source of a provider. */
export interface TopologyWatch {
  /** Proves that the daemon accepts the credentials and sends the log of the topology, and closes the connection. */
  readonly probe: (signal: AbortSignal) => Promise<void>;
  /**
   * The content of the daemon first, then every change. A stale topology is `held`, up to `maxStaleMs`; one that is `unavailable`
   * throws; a daemon that stops ends the stream. While the daemon's content comes through this process, its last other content is
   * `held`; `TOPOLOGY_LOOP` is thrown when the daemon is stale as well.
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

/** The topologies of one daemon. Those that are watched at the same time share a connection, or a few when they are hundreds. */
export class DaemonStreams {
  readonly #options: DaemonStreamOptions;
  #streams: readonly DaemonStream[] = [];

  constructor(options: DaemonStreamOptions) {
    this.#options = options;
  }

  topology({ providerId, topology, maxStaleMs, memory }: TopologyWatchOptions): TopologyWatch {
    const { source } = this.#options;
    const name = topology ?? DEFAULT_TOPOLOGY;
    const staleLimit = new StaleLimit(source.clock, maxStaleMs ?? Number.POSITIVE_INFINITY);
    const relayOptions = {
      providerId,
      url: source.url,
      staleLimit,
      newest: new NewestContent(providerId, memory),
    };
    return {
      probe: (signal) => this.#probe(name, signal),
      watch: (signal) => this.#watch(name, memory, new TopologyRelay(relayOptions), signal),
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
    name: TopologyName,
    memory: ContentMemory | undefined,
    relay: TopologyRelay,
    signal: AbortSignal,
  ): AsyncGenerator<SourceEvent, void> {
    const stream = this.#streamOf(name);
    const topic = stream.topic(name, memory);
    const subscriber = new Subscriber(relay);
    try {
      stream.add(topic, subscriber);
      yield* subscriber.events(signal);
    } finally {
      stream.delete(topic, subscriber, !signal.aborted);
    }
  }

  /** Returns the stream that has the topology, or else one that can take it. */
  #streamOf(name: TopologyName): DaemonStream {
    const found =
      this.#streams.find((stream) => stream.has(name)) ??
      this.#streams.find((stream) => stream.hasRoomFor(name));
    if (found !== undefined) return found;
    const stream = new DaemonStream(this.#options);
    this.#streams = [...this.#streams, stream];
    return stream;
  }
}
