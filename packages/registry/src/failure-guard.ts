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
  /** Monotonic. */
  readonly suppressedUntil?: number;
}

/** Ids come from outside, so only so many are remembered; the one that failed longest ago is forgotten first. */
const MAX_IDS = 1_000;

/** Counts failures in a row by id, and suppresses an id for a while after too many; then the count starts over. */
export class FailureGuard {
  readonly #options: FailureGuardOptions;
  readonly #streaks = new Map<ProviderId, Streak>();

  constructor(options: FailureGuardOptions) {
    this.#options = options;
  }

  suppressionOf(providerId: ProviderId): Suppression | undefined {
    const streak = this.#streaks.get(providerId);
    if (streak?.suppressedUntil === undefined) return undefined;
    const retryAfterMs = streak.suppressedUntil - this.#options.clock.monotonic();
    if (retryAfterMs > 0) return { providerId, failures: streak.failures, retryAfterMs };
    this.#streaks.delete(providerId);
    return undefined;
  }

  /** Counts a failure. Returns the suppression that starts with it, if one does. */
  fail(providerId: ProviderId): Suppression | undefined {
    const { clock, suppressAfter, suppressMs } = this.#options;
    const failures = (this.#streaks.get(providerId)?.failures ?? 0) + 1;
    const isTooMany = failures >= suppressAfter;
    this.#streaks.delete(providerId);
    this.#streaks.set(
      providerId,
      isTooMany ? { failures, suppressedUntil: clock.monotonic() + suppressMs } : { failures },
    );
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
