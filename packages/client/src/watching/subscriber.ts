import { toProvisioningError, whenAborted, type SourceEvent } from "@holdfast/core";
import type { TopologyFeed } from "../mirror/topology-feed.ts";
import type { TopologyRelay } from "./topology-relay.ts";

/** Maximum number of events that wait for a slow reader. Beyond it they are replaced by the current state. */
const MAX_WAITING = 64;

/** One watch of a provider, on a stream that it may share with others. */
export class Subscriber {
  readonly #relay: TopologyRelay;
  #waiting: SourceEvent[] = [];
  #failure: { readonly error: unknown } | undefined;
  #change: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(relay: TopologyRelay) {
    this.#relay = relay;
  }

  /** The feed has taken an item, or was current when the watch began. Returns false when the watch ends with an error. */
  take(feed: TopologyFeed): boolean {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting = [];
      this.#relay.restart();
    }
    try {
      this.#waiting.push(this.#relay.next(feed));
    } catch (error) {
      this.fail(error);
      return false;
    }
    this.#change.resolve();
    return true;
  }

  /** Ends the watch with an error, after the events that wait. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#change.resolve();
  }

  /** Ends after an `ended` event, with the error of `fail`, and without an error when the signal aborts. */
  async *events(signal: AbortSignal): AsyncGenerator<SourceEvent, void> {
    using _ = whenAborted(signal, () => this.#change.resolve());
    while (!signal.aborted) {
      const event = this.#waiting.shift();
      if (event !== undefined) {
        yield event;
        if (event.type === "ended") return;
      } else if (this.#failure !== undefined) {
        throw toProvisioningError(this.#failure.error, "STREAM_FAILED", "the stream of the daemon failed");
      } else {
        await this.#change.promise;
        this.#change = Promise.withResolvers();
      }
    }
  }
}
