import { describe, expect, test } from "vitest";
import { parseRetryAfter, toHttpFailure } from "./http-failure.ts";

const NOW = Date.UTC(2026, 0, 1);

describe("toHttpFailure", () => {
  test.each([
    [401, "CONNECTIVITY_UNAUTHORIZED"],
    [403, "CONNECTIVITY_UNAUTHORIZED"],
    [404, "CONNECTIVITY_REFUSED"],
    [408, "CONNECTIVITY_TIMEOUT"],
    [504, "CONNECTIVITY_TIMEOUT"],
    [429, "CONNECTIVITY_OVERLOADED"],
    [500, "CONNECTIVITY_UNAVAILABLE"],
    [503, "CONNECTIVITY_UNAVAILABLE"],
    [302, "STREAM_INVALID_DATA"],
    [400, "STREAM_INVALID_DATA"],
  ])("%i is %s and says the status", (status, code) => {
    expect(toHttpFailure(status)).toEqual({ code, failure: `answered with status ${status}` });
  });
});

describe("parseRetryAfter", () => {
  test.each([
    ["0", 0],
    [" 3 ", 3_000],
    ["Thu, 01 Jan 2026 00:00:05 GMT", 5_000],
    ["Wed, 31 Dec 2025 23:59:59 GMT", 0],
    ["999999999999999999999", 86_400_000],
    ["soon", undefined],
    ["-1 s", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("%j is %s ms", (value, waitMs) => {
    expect(parseRetryAfter(value, NOW)).toBe(waitMs);
  });
});
