import { ProvisioningError, type Clock, type ProviderId } from "@holdfast/core";

export interface FailureGuardOptions {
  readonly clock: Clock;
  readonly suppressAfter: number;
  readonly suppressMs: number;
}

export interface Suppression {
  readonly providerId: ProviderId;
  /** Number of consecutive failures that led to the suppression. */
  readonly failures: number;
  /** Milliseconds until attempts are accepted again. */
  readonly retryAfterMs: number;
}

interface Streak {
  readonly failures: number;
  /** The definitions that failed, the newest last. Only these are refused. */
  readonly definitions: readonly string[];
  /** Time of the monotonic clock. */
  readonly suppressedUntil?: number;
}

/**
 * Maximum number of ids to remember, because ids come from outside. The id that failed longest ago is forgotten first.
 */
const MAX_IDS = 1_000;

/** Maximum number of failed definitions to remember for each id. */
const MAX_DEFINITIONS = 8;

/**
 * Counts consecutive failures by id. After too many, the definitions that failed are suppressed for a while; then the
 * count starts at zero again. A different definition of the same id, most likely a corrected one, is accepted. A
 * definition is passed as a text that is equal for equal content.
 */
export class FailureGuard {
  readonly #options: FailureGuardOptions;
  readonly #streaks = new Map<ProviderId, Streak>();

  constructor(options: FailureGuardOptions) {
    this.#options = options;
  }

  suppressionOf(providerId: ProviderId, definition: string): Suppression | undefined {
    const streak = this.#streaks.get(providerId);
    if (streak?.suppressedUntil === undefined) return undefined;
    const retryAfterMs = streak.suppressedUntil - this.#options.clock.monotonic();
    if (retryAfterMs <= 0) {
      this.#streaks.delete(providerId);
      return undefined;
    }
    if (!streak.definitions.includes(definition)) return undefined;
    return { providerId, failures: streak.failures, retryAfterMs };
  }

  /** Counts a failure. Returns the suppression if this failure starts one. */
  fail(providerId: ProviderId, definition: string): Suppression | undefined {
    const { clock, suppressAfter, suppressMs } = this.#options;
    const before = this.#streaks.get(providerId);
    const failures = (before?.failures ?? 0) + 1;
    const others = before?.definitions.filter((known) => known !== definition) ?? [];
    const definitions = [...others, definition].slice(-MAX_DEFINITIONS);
    const isTooMany = failures >= suppressAfter;
    this.#streaks.delete(providerId);
    this.#streaks.set(providerId, {
      failures,
      definitions,
      ...(isTooMany && { suppressedUntil: clock.monotonic() + suppressMs }),
    });
    const [oldest] = this.#streaks.keys();
    if (this.#streaks.size > MAX_IDS && oldest !== undefined) this.#streaks.delete(oldest);
    return isTooMany ? { providerId, failures, retryAfterMs: suppressMs } : undefined;
  }

  succeed(providerId: ProviderId): void {
    this.#streaks.delete(providerId);
  }
}

/**
 * `details.retryAfterMs` and `details.failures` describe the id that has to wait longest; `details.suppressed` holds
 * all of them.
 */
export function toSuppressedError(suppressed: readonly [Suppression, ...Suppression[]]): ProvisioningError {
  const longest = suppressed.reduce((a, b) => (b.retryAfterMs > a.retryAfterMs ? b : a));
  const names = suppressed.map(({ providerId }) => `"${providerId}"`).join(", ");
  return new ProvisioningError(
    "VALIDATION_SUPPRESSED",
    `too many consecutive failures of ${names}; try again in ${Math.ceil(longest.retryAfterMs)} ms`,
    { details: { ...longest, suppressed } },
  );
}
