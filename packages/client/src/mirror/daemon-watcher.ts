import {
  ProvisioningError,
  readUntilAborted,
  type ProviderId,
  type SourceEvent,
  type TopologyName,
} from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/portable";
import type { DaemonSource } from "../connection/daemon-source.ts";
import { EventStreamParser } from "../connection/event-stream-parser.ts";
import { openStream, type StreamQuery } from "../connection/open-stream.ts";
import { ContentMemory } from "./content-memory.ts";
import { RelayedTopology } from "./relayed-topology.ts";
import { StaleLimit } from "./stale-limit.ts";
import { TopologyMirror } from "./topology-mirror.ts";

/** A million members of 250 characters each. */
const MAX_EVENT_LENGTH = 268_435_456;

export interface DaemonWatcherOptions {
  readonly source: DaemonSource;
  /** Signs the snapshots. */
  readonly providerId: ProviderId;
  /** @defaultValue the daemon's default topology */
  readonly topology?: TopologyName | undefined;
  /** The id of this process, when it serves what it follows. @defaultValue it does not */
  readonly instance?: string | undefined;
  /** A daemon whose content has been stale for longer counts as failed, in milliseconds. @defaultValue Infinity */
  readonly maxStaleMs?: number | undefined;
  /** Shared by the watchers of several daemons that serve the same topology. @defaultValue not shared */
  readonly memory?: ContentMemory | undefined;
}

/**
 * Watches one topology of a daemon, one connection for each call of `watch`. What a connection has received is kept for the next one,
 * which then continues the log where the daemon still has it.
 */
export class DaemonWatcher {
  readonly #options: DaemonWatcherOptions;
  readonly #memory: ContentMemory;
  readonly #read = createNodeReader();
  readonly #staleLimit: StaleLimit;
  /** The mirror of the last connection that broke, until a watch takes it. */
  #mirror: TopologyMirror | undefined;

  constructor(options: DaemonWatcherOptions) {
    this.#options = options;
    const { source, memory, maxStaleMs = Number.POSITIVE_INFINITY } = options;
    this.#memory = memory ?? new ContentMemory();
    this.#staleLimit = new StaleLimit(source.clock, maxStaleMs);
  }

  /** Proves that the daemon accepts the credentials and sends its log, and closes the connection. */
  async probe(signal: AbortSignal): Promise<void> {
    const { source, topology } = this.#options;
    const stop = new AbortController();
    try {
      const { body } = await openStream(source, { topology }, AbortSignal.any([signal, stop.signal]));
      for await (const _ of readUntilAborted(body, signal)) return;
      throw new ProvisioningError("CONNECTIVITY_UNAVAILABLE", `${source.url} sent nothing`);
    } finally {
      stop.abort();
    }
  }

  /**
   * The content of the daemon first, then every change. A stale topology is `held`, up to `maxStaleMs`; one that is `unavailable`
   * throws; a daemon that stops ends the stream. Content that came through this process is `held` while the daemon is current, and
   * throws `TOPOLOGY_LOOP` when it is stale.
   */
  async *watch(signal: AbortSignal): AsyncGenerator<SourceEvent, void> {
    const { source, providerId, topology, instance } = this.#options;
    const { url, clock } = source;
    const mirror = this.#mirror ?? new TopologyMirror({ read: this.#read, memory: this.#memory });
    this.#mirror = undefined;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    const relayed = new RelayedTopology({
      mirror,
      providerId,
      url,
      clock,
      instance,
      staleLimit: this.#staleLimit,
    });
    try {
      const query: StreamQuery = { topology, position: mirror.position, have: mirror.offer()?.hash };
      const { body } = await openStream(source, query, either);
      const parser = new EventStreamParser({ maxEventLength: MAX_EVENT_LENGTH });
      for await (const bytes of body) {
        for (const item of parser.push(bytes)) {
          const event = await relayed.take(item, either);
          if (event === undefined) continue;
          yield event;
          if (event.type === "ended") return;
        }
      }
      throw new ProvisioningError("STREAM_FAILED", `the connection to ${url} was closed`);
    } finally {
      this.#mirror = relayed.mirror;
      // What could not be applied is read again as a whole.
      if (relayed.isBroken) this.#memory.newest = undefined;
      stop.abort();
    }
  }
}
