import { deepEqual, match } from "node:assert/strict";
import { describe, test } from "node:test";
import { toStatusError } from "./to-status-error.ts";

const URL = "http://roster.test/members";

describe("toStatusError", () => {
  for (const [status, code, isRetryable] of [
    [401, "CONNECTIVITY_UNAUTHORIZED", false],
    [403, "CONNECTIVITY_UNAUTHORIZED", false],
    [404, "CONNECTIVITY_REFUSED", true],
    [429, "CONNECTIVITY_OVERLOADED", true],
    [500, "CONNECTIVITY_UNAVAILABLE", true],
    [503, "CONNECTIVITY_UNAVAILABLE", true],
    [504, "CONNECTIVITY_TIMEOUT", true],
    [302, "STREAM_INVALID_DATA", false],
  ] as const) {
    test(`${status} is ${code}`, () => {
      const error = toStatusError({ status, retryAfterMs: undefined }, URL);
      deepEqual([error.code, error.retryable, error.details], [code, isRetryable, { url: URL, status }]);
      match(error.message, /roster\.test/);
    });
  }

  test("keeps the delay that the backend asks for", () => {
    deepEqual(toStatusError({ status: 429, retryAfterMs: 5_000 }, URL).details, {
      url: URL,
      status: 429,
      retryAfterMs: 5_000,
    });
  });
});
