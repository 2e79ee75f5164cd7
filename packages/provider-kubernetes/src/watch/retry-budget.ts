/** Lists that expired before a watch brought anything, in a row, after which the watch gives up. */
const MAX_EXPIRIES = 3;
/** Watches that ended early without an event, in a row, after which the watch gives up. */
const MAX_EMPTY = 4;

/** How one watch request ended. */
export interface WatchEnd {
  /** Long before its `timeoutSeconds`. */
  readonly isQuick: boolean;
  /** It brought events or bookmarks. */
  readonly hasEvents: boolean;
}

/** `useful`: the server keeps its watch. `empty`: it ended early without an event. `exhausted`: that happened too often in a row. */
export type WatchVerdict = "useful" | "empty" | "exhausted";

/**
 * Counts, in a row, the attempts that brought nothing, so that a server that answers but is of no use is asked at growing intervals
 * and given up in the end.
 */
export class RetryBudget {
  #expiries = 0;
  #quickEnds = 0;
  #emptyEnds = 0;

  /** A listed version, or the next page of a list, was gone. Returns how many in a row; undefined when that was too often. */
  expired(): number | undefined {
    this.#expiries++;
    return this.#expiries > MAX_EXPIRIES ? undefined : this.#expiries;
  }

  /** A watch lasted: earlier expiries count no longer. */
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

  /** Watches that ended early, in a row. */
  get quickEnds(): number {
    return this.#quickEnds;
  }
}
