import type { Clock } from "@holdfast/core";
import type { EndpointState } from "./endpoint-state.ts";

/**
 * The maximum time since the last confirmation by the server, in milliseconds. An older state is not used, and the next
 * watch starts with a list.
 */
const REMEMBERED_MS = 300_000;

/**
 * Keeps the state of a failed watch of a provider for the next watch. A state is passed on and never shared. When
 * several watches run at the same time, it cannot be determined whose version is newer, so none of their states is
 * kept.
 */
export class WatchMemory {
  readonly #clock: Clock;
  #state: EndpointState | undefined;
  #running = 0;
  #wasConcurrent = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts a watch. Returns the state that the watch may use. */
  begin(): EndpointState | undefined {
    const state = this.#state;
    this.#state = undefined;
    if (++this.#running > 1) this.#wasConcurrent = true;
    const isFresh = state !== undefined && this.#clock.monotonic() - state.confirmedAt <= REMEMBERED_MS;
    return isFresh ? state : undefined;
  }

  /** Ends a watch. Its state is kept for the next watch. */
  end(state: EndpointState | undefined): void {
    this.#running--;
    if (!this.#wasConcurrent) this.#state = state;
    if (this.#running === 0) this.#wasConcurrent = false;
  }
}
