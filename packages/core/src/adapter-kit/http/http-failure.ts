import type { NetworkFailure } from "./network-failure.ts";

/** Converts an unexpected HTTP status to a code and a description (RFC 9110, section 15). */
export function toHttpFailure(status: number): NetworkFailure {
  const failure = `responded with status ${status}`;
  if (status === 401 || status === 403) return { code: "CONNECTIVITY_UNAUTHORIZED", failure };
  if (status === 404) return { code: "CONNECTIVITY_REFUSED", failure };
  if (status === 408 || status === 504) return { code: "CONNECTIVITY_TIMEOUT", failure };
  if (status === 429) return { code: "CONNECTIVITY_OVERLOADED", failure };
  if (status >= 500) return { code: "CONNECTIVITY_UNAVAILABLE", failure };
  return { code: "STREAM_INVALID_DATA", failure };
}
