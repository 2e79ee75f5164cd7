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
