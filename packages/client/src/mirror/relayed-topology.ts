import {
  ProvisioningError,
  type Clock,
  type ProviderId,
  type ProviderSnapshot,
  type Reason,
  type SourceEvent,
} from "@holdfast/core";
import { parseDaemonMessage } from "../connection/daemon-message.ts";
import type { StreamItem } from "../connection/event-stream-parser.ts";
import { isSameList } from "./is-same-list.ts";
import type { StaleLimit } from "./stale-limit.ts";
import type { MirrorStatus, TopologyMirror } from "./topology-mirror.ts";

export interface RelayedTopologyOptions {
  readonly mirror: TopologyMirror;
  readonly providerId: ProviderId;
  /** The address of the daemon, for messages. */
  readonly url: string;
  readonly clock: Clock;
  readonly staleLimit: StaleLimit;
  /** The id of this process, when it serves what it follows. */
  readonly instance?: string | undefined;
}

/** Turns what a daemon sends about one topology into the events of a provider. One for each connection. */
export class RelayedTopology {
  readonly #options: RelayedTopologyOptions;
  /** Events that were missed come first. What the mirror has before the last of them is old. */
  #isCatchingUp: boolean;
  /** An item could not be applied. */
  isBroken = false;
  #shown: ProviderSnapshot | undefined;
  /** The daemons between the backend and this process. Ends before this process if that is one of them. */
  #via: readonly string[] | undefined;
  #isLoop = false;

  constructor(options: RelayedTopologyOptions) {
    this.#options = options;
    this.#isCatchingUp = options.mirror.position !== undefined;
  }

  /** The mirror, for the next connection to continue with. Undefined after an item that could not be applied. */
  get mirror(): TopologyMirror | undefined {
    const { mirror } = this.#options;
    return this.isBroken || mirror.position === undefined ? undefined : mirror;
  }

  /**
   * Takes the next item of the connection. Returns the event that follows from it; undefined while missed events are still arriving.
   * Rejects when the item does not fit, and when the daemon's topology is unavailable.
   */
  async take(item: StreamItem, signal: AbortSignal): Promise<SourceEvent | undefined> {
    const { mirror, clock } = this.#options;
    const wasLoop = this.#isLoop;
    if (item.type === "event") {
      this.isBroken = true;
      const message = parseDaemonMessage(item.event, item.data);
      if (message.type === "via") this.#takeVia(message.instances);
      else await mirror.apply(message, { clock, signal });
      this.isBroken = false;
    }
    // The content that came through this process is the newest until the next item.
    if (wasLoop && !this.#isLoop) return undefined;
    const isWhole = item.type === "comment" || item.event === "state";
    if (isWhole) this.#isCatchingUp = false;
    return this.#isCatchingUp ? undefined : this.#toEvent(isWhole);
  }

  /**
   * Every item of the daemon shows that the connection works and that the mirror is up to date. `isWhole`: no event that belongs to the
   * same moment follows.
   */
  #toEvent(isWhole: boolean): SourceEvent {
    const { mirror, providerId, clock, staleLimit } = this.#options;
    const { status } = mirror;
    if (status === undefined) return { type: "heartbeat" };
    const tooLongMs = staleLimit.tooLongMs(status.isStale);
    if (status.status === "unavailable") throw this.#toUnavailable(status);
    if (status.status === "draining" || status.status === "stopped") return { type: "ended" };
    // While the daemon is current, it is so because of this process. When it is not, it has nothing that this process does not have.
    if (isWhole && this.#isLoop && status.isStale) throw this.#toLoopError(status);
    if (tooLongMs !== undefined) throw this.#toStaleError(status, tooLongMs);
    const doubt = this.#doubt(status);
    if (
      this.#shown !== undefined &&
      mirror.isContentOf(this.#shown) &&
      isSameList(this.#shown.via, this.#via)
    )
      return doubt === undefined ? { type: "heartbeat" } : { type: "held", reason: doubt };
    const snapshot = mirror.toSnapshot({ providerId, observedAt: clock.now(), via: this.#via });
    if (snapshot !== undefined) {
      this.#shown = snapshot;
      return { type: "snapshot", snapshot, ...(doubt && { held: doubt }) };
    }
    // After a snapshot, a heartbeat would confirm content that the daemon no longer has.
    return this.#shown === undefined ? { type: "heartbeat" } : { type: "held", reason: status.reason };
  }

  #takeVia(instances: readonly string[]): void {
    const { instance } = this.#options;
    const own = instance === undefined ? -1 : instances.indexOf(instance);
    this.#isLoop = own >= 0;
    // Without the part that begins with this process, which would otherwise grow with every round.
    this.#via = own >= 0 ? instances.slice(0, own) : instances;
  }

  /** Why the content may be out of date; undefined when the daemon vouches for it. */
  #doubt({ isStale, reason }: MirrorStatus): Reason | undefined {
    return this.#isLoop ? this.#loopReason : isStale ? reason : undefined;
  }

  get #loopReason(): Reason {
    const { url } = this.#options;
    const message = `the daemon at ${url} follows this process`;
    return { code: "TOPOLOGY_LOOP", message, details: { address: url, via: this.#via } };
  }

  #toLoopError({ reason }: MirrorStatus): ProvisioningError {
    const { code, message, details } = this.#loopReason;
    return new ProvisioningError(code, `${message}, and is stale: ${reason.message}`, {
      details: { ...details },
    });
  }

  #toStaleError({ reason }: MirrorStatus, staleMs: number): ProvisioningError {
    const { url } = this.#options;
    const message = `${url} has had stale content for ${Math.round(staleMs / 1_000)} s: ${reason.message}`;
    return new ProvisioningError("STREAM_STALE", message, { details: { ...reason.details, staleMs } });
  }

  #toUnavailable({ reason }: MirrorStatus): ProvisioningError {
    const { url } = this.#options;
    const message = `${url} has no provider that can serve: ${reason.message}`;
    return new ProvisioningError("CONNECTIVITY_UNAVAILABLE", message, { details: { ...reason.details } });
  }
}
