import type { Clock } from "@holdfast/core";

/** Measures for how long a daemon has had stale content only, over all connections to it. */
export class StaleLimit {
  readonly #clock: Clock;
  readonly #maxMs: number;
  #since: number | undefined;

  /** `maxMs` may be Infinity. */
  constructor(clock: Clock, maxMs: number) {
    this.#clock = clock;
    this.#maxMs = maxMs;
  }

  /** Takes the newest observation. Returns for how many milliseconds the content has been stale if that exceeds the limit. */
  tooLongMs(isStale: boolean): number | undefined {
    if (!isStale) {
      this.#since = undefined;
      return undefined;
    }
    const now = this.#clock.monotonic();
    this.#since ??= now;
    const staleMs = now - this.#since;
    return staleMs > this.#maxMs ? Math.round(staleMs) : undefined;
  }
}
