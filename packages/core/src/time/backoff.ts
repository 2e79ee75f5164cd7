/** Returns a number in [0, 1), like `Math.random`. It is passed in so that simulations can seed it. */
export type Random = () => number;

export interface BackoffOptions {
  /** @defaultValue 2000 */
  readonly initialMs?: number | undefined;
  /** @defaultValue 30000 */
  readonly maxMs?: number | undefined;
  /** @defaultValue 2 */
  readonly factor?: number | undefined;
  readonly random: Random;
}

export interface Backoff {
  /**
   * Returns the next wait in milliseconds: uniform in [0, ceiling), where the ceiling starts at `initialMs` and is
   * multiplied by `factor` after each wait, up to `maxMs` (full jitter).
   */
  nextMs(): number;
  /** The next wait starts again from `initialMs`. */
  reset(): void;
}

/** Implements full jitter; see "Exponential Backoff And Jitter", AWS Architecture Blog, 2015. */
export function createBackoff(options: BackoffOptions): Backoff {
  const { initialMs = 2_000, maxMs = 30_000, factor = 2, random } = options;
  let ceiling = Math.min(initialMs, maxMs);
  return {
    nextMs() {
      const wait = random() * ceiling;
      ceiling = Math.min(ceiling * factor, maxMs);
      return wait;
    },
    reset() {
      ceiling = Math.min(initialMs, maxMs);
    },
  };
}
