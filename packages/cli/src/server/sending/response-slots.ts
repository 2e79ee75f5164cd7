import type { ServerResponse } from "node:http";
import type { Clock } from "@holdfast/core";

export interface ResponseSlotsOptions {
  readonly clock: Clock;
  readonly max: number;
  /** A response that has been in progress for longer gives its place to a new one when all are taken, in milliseconds. */
  readonly fairMs: number;
}

/**
 * How many large responses may be in progress. Slow readers cannot keep the others out for longer than `fairMs`: when all
 * places are taken, the response that has been in progress for longest is cut off.
 */
export class ResponseSlots {
  readonly #options: ResponseSlotsOptions;
  /** When each one began; oldest first. */
  readonly #startedAt: Map<ServerResponse, number> = new Map();

  constructor(options: ResponseSlotsOptions) {
    this.#options = options;
  }

  /** Takes a place until the response is over; false when there is none. */
  take(outgoing: ServerResponse): boolean {
    const { clock, max, fairMs } = this.#options;
    const now = clock.monotonic();
    if (this.#startedAt.size >= max) {
      const [oldest] = this.#startedAt;
      if (oldest === undefined || now - oldest[1] < fairMs) return false;
      this.#startedAt.delete(oldest[0]);
      oldest[0].destroy();
    }
    this.#startedAt.set(outgoing, now);
    outgoing.once("close", () => this.#startedAt.delete(outgoing));
    return true;
  }
}
