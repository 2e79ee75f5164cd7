import { sleep, type Clock, type Random } from "@holdfast/core";

export interface PollPaceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly minGapMs: number;
  /** A gap is half of it at most, unless `minGapMs` is longer. */
  readonly heartbeatMs: number;
}

const MAX_GAP_MS = 1_000;

/**
 * Keeps polls apart. After one that brought something: for as long as it took to take in, so that a service that changes all
 * the time takes half of a processor at most. After one that came back early with nothing, as from a server that does not
 * block: for `minGapMs` and up to twice that with each further one (full jitter), a second or `minGapMs` at most.
 */
export class PollPace {
  readonly #options: PollPaceOptions;
  readonly #maxGapMs: number;
  #idle = 0;
  #begunAt: number | undefined;

  constructor(options: PollPaceOptions) {
    this.#options = options;
    this.#maxGapMs = Math.max(Math.min(MAX_GAP_MS, options.heartbeatMs / 2), options.minGapMs);
  }

  begin(): void {
    this.#begunAt = this.#options.clock.monotonic();
  }

  /** `tookMs` is how long the news took to take in; undefined when there were none. */
  async rest(tookMs: number | undefined, signal: AbortSignal): Promise<void> {
    const { clock, random, minGapMs } = this.#options;
    const pollMs = this.#begunAt === undefined ? Number.POSITIVE_INFINITY : clock.monotonic() - this.#begunAt;
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
    // A timer takes a millisecond at least.
    if (gapMs >= 1) await sleep(gapMs, { clock, signal });
  }
}
