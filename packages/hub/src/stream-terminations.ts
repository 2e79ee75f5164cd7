import type { ProviderId, StreamTerminatedEvent } from "@holdfast/core";

/** Number of providers whose last termination is kept. A set of providers cannot be larger. */
const MAX_TERMINATIONS = 1_000;

/** The last termination of each provider's stream. When there are too many, the oldest is dropped. */
export class StreamTerminations {
  readonly #events = new Map<ProviderId, StreamTerminatedEvent>();

  add(event: StreamTerminatedEvent): void {
    // Deleted first, so that the map stays in order of time.
    this.#events.delete(event.providerId);
    this.#events.set(event.providerId, event);
    const [oldest] = this.#events.keys();
    if (this.#events.size > MAX_TERMINATIONS && oldest !== undefined) this.#events.delete(oldest);
  }

  /** Oldest first. */
  get events(): readonly StreamTerminatedEvent[] {
    return [...this.#events.values()];
  }
}
