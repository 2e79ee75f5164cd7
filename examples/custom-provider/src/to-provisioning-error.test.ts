import { deepEqual, equal, match } from "node:assert/strict";
import { describe, test } from "node:test";
import { ProvisioningError } from "@holdfast/core";
import { toProvisioningError, toStatusError } from "./to-provisioning-error.ts";

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
      const error = toStatusError(status, undefined, URL);
      deepEqual([error.code, error.retryable, error.details], [code, isRetryable, { url: URL, status }]);
      match(error.message, /roster\.test/);
    });
  }

  test("keeps when to come back", () => {
    deepEqual(toStatusError(429, 5_000, URL).details, { url: URL, status: 429, retryAfterMs: 5_000 });
  });
});

describe("toProvisioningError", () => {
  for (const [errno, code] of [
    ["ECONNREFUSED", "CONNECTIVITY_REFUSED"],
    ["ENOTFOUND", "CONNECTIVITY_REFUSED"],
    ["ETIMEDOUT", "CONNECTIVITY_TIMEOUT"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "CONNECTIVITY_TLS"],
    ["ECONNRESET", "STREAM_FAILED"],
    ["HPE_INVALID_CONSTANT", "STREAM_FAILED"],
  ] as const) {
    test(`${errno} is ${code}`, () => {
      const cause = Object.assign(new Error("failed"), { code: errno });
      const error = toProvisioningError(cause, URL);
      deepEqual([error.code, error.cause, error.details], [code, cause, { url: URL }]);
    });
  }

  test("leaves our own errors as they are", () => {
    const error = new ProvisioningError("STREAM_ENDED", "x");
    equal(toProvisioningError(error, URL), error);
  });
});
