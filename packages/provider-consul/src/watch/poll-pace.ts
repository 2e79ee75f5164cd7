import { sleep, type Clock, type Random } from "@holdfast/core";

export interface PollPaceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly minGapMs: number;
  /** A pause is at most half of this, unless `minGapMs` is longer. */
  readonly heartbeatMs: number;
}

const MAX_GAP_MS = 1_000;

/**
 * Determines the pause between two polls. After a poll with a change, the pause is as long as processing the change
 * took, so that a service that changes all the time uses at most half of a processor. After a poll that returned early
 * without a change, as from a server that does not block, the pause is `minGapMs`. Its upper limit doubles with each
 * further such poll (full jitter), up to one second or `minGapMs`.
 */
export class PollPace {
  readonly #options: PollPaceOptions;
  readonly #maxGapMs: number;
  #idle = 0;
  #startedAt: number | undefined;

  constructor(options: PollPaceOptions) {
    this.#options = options;
    this.#maxGapMs = Math.max(Math.min(MAX_GAP_MS, options.heartbeatMs / 2), options.minGapMs);
  }

  startPoll(): void {
    this.#startedAt = this.#options.clock.monotonic();
  }

  /** Waits for the pause. `tookMs` is the time that processing the change took; undefined when there was no change. */
  async pause(tookMs: number | undefined, signal: AbortSignal): Promise<void> {
    const { clock, random, minGapMs } = this.#options;
    const pollMs =
      this.#startedAt === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() - this.#startedAt;
    let gapMs = 0;
    if (tookMs !== undefined) {
      this.#idle = 0;
      gapMs = Math.min(tookMs, this.#maxGapMs);
    } else if (pollMs >= this.#maxGapMs) {
      this.#idle = 0;
    } else {
      const ceilingMs = Math.min(minGapMs * 2 ** this.#idle, this.#maxGapMs);
      gapMs = minGapMs + random() * (ceilingMs - minGapMs);
      this.#idle = Math.min(this.#idle + 1, 16);
    }
    // A timer takes at least one millisecond.
    if (gapMs >= 1) await sleep(gapMs, { clock, signal });
  }
}
