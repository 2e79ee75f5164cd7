const DAY_MS = 86_400_000;

/**
 * Parses `Retry-After` (RFC 9110, section 10.2.3), in seconds or as a date, to milliseconds from `nowMs` (the wall
 * clock); at most a day. Returns `undefined` when it is absent or invalid.
 */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  const text = value?.trim() ?? "";
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, 0), DAY_MS);
}
