const DAY_MS = 86_400_000;

/**
 * `Retry-After` in milliseconds from `nowMs` (the wall clock), whether it gives seconds or a date (RFC 9110, section
 * 10.2.3); at most a day. Undefined when it is absent or neither.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? "";
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), DAY_MS);
}
