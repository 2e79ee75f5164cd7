import type { Clock } from "@holdfast/core";

/** A slot for a blocking query. Dispose of it when the query has ended. */
export interface OwnSlot extends Disposable {
  /**
   * Call this when the query has ended by itself. Otherwise the slot stays occupied for as long as the agent may keep the
   * connection: an agent does not notice that a client has closed the connection of a blocking query until its wait is over.
   */
  settle(): void;
}

/**
 * Counts the blocking queries that belong to one watch each, and the connections of aborted ones, which the agent still
 * counts.
 */
export class OwnSlots {
  readonly #clock: Clock;
  #limit: number;
  #held = 0;
  /** The times at which the agent closes the connections of aborted queries. */
  #closingAt: readonly number[] = [];

  constructor(clock: Clock, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
  }

  /** With a lower limit, queries that wait are not interrupted. */
  setLimit(limit: number): void {
    this.#limit = limit;
  }

  /** The number of free slots. */
  get free(): number {
    const now = this.#clock.monotonic();
    this.#closingAt = this.#closingAt.filter((at) => at > now);
    return Math.max(this.#limit - this.#held - this.#closingAt.length, 0);
  }

  /** Occupies a slot for a query that the agent ends within `maxWaitMs`. */
  take(maxWaitMs: number): OwnSlot {
    this.#held++;
    const endsAt = this.#clock.monotonic() + maxWaitMs;
    let isSettled = false;
    let isOver = false;
    return {
      settle() {
        isSettled = true;
      },
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#held--;
        if (!isSettled) this.#closingAt = [...this.#closingAt, endsAt];
      },
    };
  }
}
