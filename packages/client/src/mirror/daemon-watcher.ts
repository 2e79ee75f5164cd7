import { ProvisioningError, readUntilAborted, type ProviderSnapshot, type SourceEvent } from "@holdfast/core";
import { createNodeReader } from "@holdfast/core/portable";
import { parseDaemonMessage } from "../connection/daemon-message.ts";
import type { DaemonSource } from "../connection/daemon-source.ts";
import { EventStreamParser } from "../connection/event-stream-parser.ts";
import { openStream } from "../connection/open-stream.ts";
import { TopologyMirror, type MirrorStatus } from "./topology-mirror.ts";

/** A million members of 250 characters each. */
const MAX_LINE_LENGTH = 268_435_456;

/**
 * Watches a daemon, one connection for each call of `watch`. What a connection has received is kept for the next one, which then
 * continues the log where the daemon still has it.
 */
export class DaemonWatcher {
  readonly #source: DaemonSource;
  readonly #read = createNodeReader();
  /** The mirror of the last connection that broke, until a watch takes it. */
  #mirror: TopologyMirror | undefined;

  constructor(source: DaemonSource) {
    this.#source = source;
  }

  /** Proves that the daemon accepts the credentials and sends its log, and closes the connection. */
  async probe(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    try {
      const { body } = await openStream(this.#source, undefined, AbortSignal.any([signal, stop.signal]));
      for await (const _ of readUntilAborted(body, signal)) return;
      throw new ProvisioningError("CONNECTIVITY_UNAVAILABLE", `${this.#source.url} sent nothing`);
    } finally {
      stop.abort();
    }
  }

  /**
   * The content of the daemon first, then every change. A stale topology is `held`; one that is `unavailable` throws; a daemon that
   * stops ends the stream.
   */
  async *watch(signal: AbortSignal): AsyncGenerator<SourceEvent, void> {
    const { clock } = this.#source;
    const mirror = this.#mirror ?? new TopologyMirror(this.#read);
    this.#mirror = undefined;
    const stop = new AbortController();
    const either = AbortSignal.any([signal, stop.signal]);
    let isUsable = true;
    try {
      const response = await openStream(this.#source, mirror.position, either);
      const parser = new EventStreamParser({ maxLineLength: MAX_LINE_LENGTH });
      let shown: ProviderSnapshot | undefined;
      // Events that were missed come first. What the mirror has before the last of them is old.
      let isCatchingUp = mirror.position !== undefined;
      for await (const bytes of response.body) {
        for (const item of parser.push(bytes)) {
          if (item.type === "event") {
            isUsable = false;
            await mirror.apply(parseDaemonMessage(item.event, item.data), { clock, signal: either });
            isUsable = true;
          }
          if (item.type === "comment" || item.event === "state") isCatchingUp = false;
          if (isCatchingUp) continue;
          const event = this.#toEvent(mirror, shown);
          if (event.type === "snapshot") shown = event.snapshot;
          yield event;
          if (event.type === "ended") return;
        }
      }
      throw new ProvisioningError("STREAM_FAILED", `the connection to ${this.#source.url} was closed`);
    } finally {
      if (isUsable && mirror.position !== undefined) this.#mirror = mirror;
      stop.abort();
    }
  }

  /** Called for every event and comment of the daemon: each shows that the connection works and the mirror is up to date. */
  #toEvent(mirror: TopologyMirror, shown: ProviderSnapshot | undefined): SourceEvent {
    const { status } = mirror;
    if (status === undefined) return { type: "heartbeat" };
    if (status.status === "unavailable") throw this.#toUnavailable(status);
    if (status.status === "draining" || status.status === "stopped") return { type: "ended" };
    if (shown === undefined || !mirror.isContentOf(shown)) {
      const snapshot = mirror.toSnapshot(this.#source.providerId, this.#source.clock.now());
      const held = status.isStale ? { held: status.reason } : {};
      if (snapshot !== undefined) return { type: "snapshot", snapshot, ...held };
      // After a snapshot, a heartbeat would confirm content that the daemon no longer has.
      return shown === undefined ? { type: "heartbeat" } : { type: "held", reason: status.reason };
    }
    return status.isStale ? { type: "held", reason: status.reason } : { type: "heartbeat" };
  }

  #toUnavailable({ reason }: MirrorStatus): ProvisioningError {
    const { url } = this.#source;
    const message = `${url} has no provider that can serve: ${reason.message}`;
    return new ProvisioningError("CONNECTIVITY_UNAVAILABLE", message, { details: { ...reason.details } });
  }
}
