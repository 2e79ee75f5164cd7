import type { Clock } from "@holdfast/core";
import type { EndpointState } from "./endpoint-state.ts";

/** Milliseconds since the server last confirmed it, after which what is remembered is listed again. */
const REMEMBERED_MS = 300_000;

/**
 * What a failed watch of a provider had come to, for the next one to go on from. It is handed on, never shared: watches that
 * run beside each other know nothing of one another, and as nobody can tell whose version is newer, none of theirs is kept.
 */
export class WatchMemory {
  readonly #clock: Clock;
  #state: EndpointState | undefined;
  #running = 0;
  #wereSeveral = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A watch begins. What it gets is its own. */
  begin(): EndpointState | undefined {
    const state = this.#state;
    this.#state = undefined;
    if (++this.#running > 1) this.#wereSeveral = true;
    const isFresh = state !== undefined && this.#clock.monotonic() - state.confirmedAt <= REMEMBERED_MS;
    return isFresh ? state : undefined;
  }

  /** A watch is over, and leaves what another one may go on from. */
  end(state: EndpointState | undefined): void {
    this.#running--;
    if (!this.#wereSeveral) this.#state = state;
    if (this.#running === 0) this.#wereSeveral = false;
  }
}
