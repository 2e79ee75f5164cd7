import type { Clock } from "@holdfast/core";

export interface RecentResultOptions<T> {
  readonly make: () => Promise<T>;
  /** A result is given out again for this long, in milliseconds. */
  readonly reuseMs: number;
  readonly clock: Clock;
}

/** Makes something costly at most once at a time, and shares it with everyone who asks shortly after. */
export class RecentResult<T> {
  readonly #options: RecentResultOptions<T>;
  #result: Promise<T> | undefined;
  #madeAt = 0;

  constructor(options: RecentResultOptions<T>) {
    this.#options = options;
  }

  /** Rejects as `make` does; a failure is not kept. */
  get(): Promise<T> {
    const { reuseMs, clock } = this.#options;
    if (this.#result === undefined || clock.monotonic() - this.#madeAt >= reuseMs)
      this.#result = this.#make();
    return this.#result;
  }

  async #make(): Promise<T> {
    const { make, clock } = this.#options;
    this.#madeAt = Infinity;
    try {
      const result = await make();
      this.#madeAt = clock.monotonic();
      return result;
    } catch (error) {
      this.#madeAt = -Infinity;
      throw error;
    }
  }
}
