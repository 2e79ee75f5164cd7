import type { Clock } from "@holdfast/core";

export interface RecentResultOptions<T> {
  readonly make: () => Promise<T>;
  /** How long a result is reused, in milliseconds. */
  readonly reuseMs: number;
  readonly clock: Clock;
}

/** Computes an expensive result at most once at a time, and shares it with callers for a short time. */
export class RecentResult<T> {
  readonly #options: RecentResultOptions<T>;
  #result: Promise<T> | undefined;
  #madeAt = 0;

  constructor(options: RecentResultOptions<T>) {
    this.#options = options;
  }

  /** Rejects as `make` does. A failure is not reused. */
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
