/** A number in [0, 1), as `Math.random`. Comes from outside, so that simulations can seed it. */
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
  /** The next wait: uniform in [0, ceiling), where the ceiling doubles from `initialMs` to `maxMs` (full jitter). */
  nextMs(): number;
  /** The next wait starts over from `initialMs`. */
  reset(): void;
}

/** Source of the rule: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (full jitter). */
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
