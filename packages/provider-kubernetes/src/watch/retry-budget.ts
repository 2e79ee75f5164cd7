/** The maximum number of consecutive lists that expire before a watch delivers an event. */
const MAX_EXPIRIES = 3;
/** The maximum number of consecutive watches that end early without an event. */
const MAX_EMPTY = 4;

/** How one watch request ended. */
export interface WatchEnd {
  /** It ended long before its `timeoutSeconds`. */
  readonly isQuick: boolean;
  /** It delivered events or bookmarks. */
  readonly hasEvents: boolean;
}

/**
 * `useful`: the watch lasted or delivered events. `empty`: it ended early without an event. `exhausted`: that happened
 * too often in a row.
 */
export type WatchVerdict = "useful" | "empty" | "exhausted";

/**
 * Counts consecutive unsuccessful attempts, so that a server that responds without useful data gets requests at
 * increasing intervals, and the watch fails in the end.
 */
export class RetryBudget {
  #expiries = 0;
  #quickEnds = 0;
  #emptyEnds = 0;

  /**
   * Records that a listed version, or the next page of a list, has expired. Returns how often in a row; undefined when
   * that was too often.
   */
  expired(): number | undefined {
    this.#expiries++;
    return this.#expiries > MAX_EXPIRIES ? undefined : this.#expiries;
  }

  /** Records that a watch lasted, which resets the number of expiries. */
  lasted(): void {
    this.#expiries = 0;
  }

  ended({ isQuick, hasEvents }: WatchEnd): WatchVerdict {
    this.#quickEnds = isQuick ? this.#quickEnds + 1 : 0;
    this.#emptyEnds = isQuick && !hasEvents ? this.#emptyEnds + 1 : 0;
    if (this.#emptyEnds > MAX_EMPTY) return "exhausted";
    if (this.#emptyEnds > 0) return "empty";
    this.lasted();
    return "useful";
  }

  /** The number of consecutive watches that ended early. */
  get quickEnds(): number {
    return this.#quickEnds;
  }
}
