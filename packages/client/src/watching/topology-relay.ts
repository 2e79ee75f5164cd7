import {
  ProvisioningError,
  type ProviderId,
  type ProviderSnapshot,
  type Reason,
  type SourceEvent,
} from "@holdfast/core";
import { isSameList } from "../mirror/is-same-list.ts";
import type { TopologyFeed } from "../mirror/topology-feed.ts";
import type { MirrorStatus } from "../mirror/topology-mirror.ts";
import type { NewestContent } from "./newest-content.ts";
import type { StaleLimit } from "./stale-limit.ts";

export interface TopologyRelayOptions {
  readonly providerId: ProviderId;
  /** The address of the daemon, for messages. */
  readonly url: string;
  readonly staleLimit: StaleLimit;
  readonly newest: NewestContent;
}

/** Turns what a daemon has sent about one topology into the events of one watch of a provider. */
export class TopologyRelay {
  readonly #options: TopologyRelayOptions;
  #shown: ProviderSnapshot | undefined;

  constructor(options: TopologyRelayOptions) {
    this.#options = options;
  }

  /** The event after the feed has taken an item. Throws when the daemon's topology is unavailable, or stale for too long. */
  next(feed: TopologyFeed): SourceEvent {
    const { providerId, staleLimit } = this.#options;
    const { status } = feed.mirror;
    if (status === undefined) return { type: "heartbeat" };
    const tooLongMs = staleLimit.tooLongMs(status.isStale);
    if (status.status === "unavailable") throw this.#toUnavailable(status);
    if (status.status === "draining" || status.status === "stopped") return { type: "ended" };
    // While the daemon is current, it is so because of this process. When it is not, it has nothing that this process does not have.
    if (feed.isLoop && feed.isWhole && status.isStale) throw this.#toLoopError(feed, status);
    if (tooLongMs !== undefined) throw this.#toStaleError(status, tooLongMs);
    // Its content is that of this process. If it were shown, two daemons would exchange their contents for ever.
    if (feed.isLoop) return { type: "held", reason: this.#loopOf(feed) };
    const { observedAt, via, mirror } = feed;
    const { newest } = this.#options;
    if (status.isStale && newest.snapshot !== undefined && newest.isNewerThan(mirror))
      return this.#show(newest.snapshot, this.#toOlder(status));
    const snapshot = this.#isShown(feed) ? this.#shown : mirror.toSnapshot({ providerId, observedAt, via });
    // The first content of a run precedes the status that says whether it is current.
    if (snapshot !== undefined && status.status !== "starting") {
      newest.keep(snapshot);
      return this.#show(snapshot, status.isStale ? status.reason : undefined);
    }
    // After a snapshot, a heartbeat would confirm content that the daemon no longer has.
    return this.#shown === undefined ? { type: "heartbeat" } : { type: "held", reason: status.reason };
  }

  /** The next event after content has a snapshot, as if it were the first. */
  restart(): void {
    this.#shown = undefined;
  }

  #show(snapshot: ProviderSnapshot, doubt: Reason | undefined): SourceEvent {
    if (snapshot === this.#shown)
      return doubt === undefined ? { type: "heartbeat" } : { type: "held", reason: doubt };
    this.#shown = snapshot;
    return { type: "snapshot", snapshot, ...(doubt && { held: doubt }) };
  }

  #isShown({ mirror, via }: TopologyFeed): boolean {
    const shown = this.#shown;
    return shown !== undefined && mirror.isContentOf(shown) && isSameList(shown.via, via);
  }

  #loopOf({ via }: TopologyFeed): Reason {
    const { url } = this.#options;
    const message = `the daemon at ${url} follows this process`;
    return { code: "TOPOLOGY_LOOP", message, details: { address: url, via } };
  }

  #toOlder({ reason }: MirrorStatus): Reason {
    const message = `${this.#options.url} has stale content that is older than what it had before: ${reason.message}`;
    return { ...reason, code: "STREAM_STALE", message };
  }

  #toLoopError(feed: TopologyFeed, { reason }: MirrorStatus): ProvisioningError {
    const { code, message, details } = this.#loopOf(feed);
    return new ProvisioningError(code, `${message}, and is stale: ${reason.message}`, {
      details: { ...details },
    });
  }

  #toStaleError({ reason }: MirrorStatus, staleMs: number): ProvisioningError {
    const { url } = this.#options;
    const message = `the content of ${url} has been stale for ${Math.round(staleMs / 1_000)} s: ${reason.message}`;
    return new ProvisioningError("STREAM_STALE", message, { details: { ...reason.details, staleMs } });
  }

  #toUnavailable({ reason }: MirrorStatus): ProvisioningError {
    const { url } = this.#options;
    const message = `${url} has no provider that can serve: ${reason.message}`;
    return new ProvisioningError("CONNECTIVITY_UNAVAILABLE", message, { details: { ...reason.details } });
  }
}
