import { sleep, type Clock, type Random } from "@holdfast/core";

export interface WatchPaceOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Returns the heartbeat interval in milliseconds. It may change. */
  readonly heartbeatMs: () => number;
  /** The longest watch that the parameters allow, in milliseconds. */
  readonly watchTimeoutMs: number;
  /** Aborts all waits. */
  readonly signal: AbortSignal;
}

const FIRST_GAP_MS = 100;
const MAX_GAP_MS = 1_000;

/**
 * Determines the duration of watch requests and of the pauses between requests. All values are random within limits, so
 * that clients do not send their requests at the same time.
 */
export class WatchPace {
  readonly #options: WatchPaceOptions;

  constructor(options: WatchPaceOptions) {
    this.#options = options;
  }

  /**
   * Returns the duration of one watch request in seconds. Bookmarks of a watch without changes arrive once a minute,
   * but the liveness of the server must be checked every `heartbeatMs`. So the watch is short enough that it ends in
   * this time.
   */
  watchSeconds(): number {
    const { random, heartbeatMs, watchTimeoutMs } = this.#options;
    const wantedMs = heartbeatMs() * (0.6 + 0.3 * random());
    return Math.max(1, Math.floor(Math.min(wantedMs, watchTimeoutMs) / 1_000));
  }

  /** Waits a random time, for example after an event that affects all clients of a server. */
  waitRandomly(withinMs: number): Promise<void> {
    const { clock, random, signal } = this.#options;
    return sleep(random() * withinMs, { clock, signal });
  }

  /** Waits longer with each consecutive attempt, at most one second or a third of `heartbeatMs` (full jitter). */
  pause(inRow: number): Promise<void> {
    return this.waitRandomly(longestGapMs(inRow, this.#options.heartbeatMs()));
  }
}

/** Returns the upper limit of the pause before the next attempt, in milliseconds, after a number of consecutive failures. */
export function longestGapMs(inRow: number, heartbeatMs: number): number {
  return Math.min(FIRST_GAP_MS * 2 ** (inRow - 1), MAX_GAP_MS, heartbeatMs / 3);
}
