import { ProvisioningError, type Clock, type ProviderId } from "@holdfast/core";

export interface FailureGuardOptions {
  readonly clock: Clock;
  readonly suppressAfter: number;
  readonly suppressMs: number;
}

export interface Suppression {
  readonly providerId: ProviderId;
  /** Failures in a row that led to it. */
  readonly failures: number;
  /** Milliseconds until attempts are let through again. */
  readonly retryAfterMs: number;
}

interface Streak {
  readonly failures: number;
  /** What failed, the newest last: only these are refused. */
  readonly definitions: readonly string[];
  /** Monotonic. */
  readonly suppressedUntil?: number;
}

/** Ids come from outside, so only so many are remembered; the one that failed longest ago is forgotten first. */
const MAX_IDS = 1_000;

/** Of one id, so many definitions that failed are remembered. */
const MAX_DEFINITIONS = 8;

/**
 * Counts failures in a row by id. After too many, the definitions that failed are suppressed for a while; then the count starts
 * over. Another definition of the same id, most likely a corrected one, is let through. A definition is given as a text that
 * is the same for the same content.
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

  /** Counts a failure. Returns the suppression that starts with it, if one does. */
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

/** `retryAfterMs` and `failures` are those of the id that has to wait longest; `suppressed` has every one. */
export function toSuppressedError(suppressed: readonly [Suppression, ...Suppression[]]): ProvisioningError {
  const longest = suppressed.reduce((a, b) => (b.retryAfterMs > a.retryAfterMs ? b : a));
  const names = suppressed.map(({ providerId }) => `"${providerId}"`).join(", ");
  return new ProvisioningError(
    "VALIDATION_SUPPRESSED",
    `too many failures in a row; try again in ${Math.ceil(longest.retryAfterMs)} ms, for ${names}`,
    { details: { ...longest, suppressed } },
  );
}
