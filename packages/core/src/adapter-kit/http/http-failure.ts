import type { NetworkFailure } from "./network-failure.ts";

/** What an HTTP status other than the wanted one means (RFC 9110, section 15). */
export function toHttpFailure(status: number): NetworkFailure {
  const answered = `answered with status ${status}`;
  if (status === 401 || status === 403) return { code: "CONNECTIVITY_UNAUTHORIZED", failure: answered };
  if (status === 404) return { code: "CONNECTIVITY_REFUSED", failure: answered };
  if (status === 408 || status === 504) return { code: "CONNECTIVITY_TIMEOUT", failure: answered };
  if (status === 429) return { code: "CONNECTIVITY_OVERLOADED", failure: answered };
  if (status >= 500) return { code: "CONNECTIVITY_UNAVAILABLE", failure: answered };
  return { code: "STREAM_INVALID_DATA", failure: answered };
}

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
