import { describe, expect, test } from "vitest";
import { parseRetryAfter } from "./retry-after.ts";

const NOW = Date.UTC(2026, 0, 1);

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
