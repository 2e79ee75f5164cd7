import type { ServerResponse } from "node:http";
import type { Clock } from "@holdfast/core";

export interface ResponseSlotsOptions {
  readonly clock: Clock;
  readonly max: number;
  /**
   * When all slots are taken, a response that has been in progress for longer than this gives its slot to a new one, in
   * milliseconds.
   */
  readonly fairMs: number;
}

/**
 * Limits the number of large responses in progress. Slow readers cannot lock out the others for longer than `fairMs`:
 * when all slots are taken, the response that has been in progress for longest is aborted.
 */
export class ResponseSlots {
  readonly #options: ResponseSlotsOptions;
  /** The start time of each response; oldest first. */
  readonly #startedAt: Map<ServerResponse, number> = new Map();

  constructor(options: ResponseSlotsOptions) {
    this.#options = options;
  }

  /** Takes a slot until the response ends. Returns false when no slot is available. */
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
