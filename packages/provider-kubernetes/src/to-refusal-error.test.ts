import { describe, expect, test } from "vitest";
import { toPeer, toRefusalError } from "./to-refusal-error.ts";

const SERVER = "https://10.0.0.1:6443";
const REQUEST = 'list endpointslices in namespace "shop"';

describe("toRefusalError", () => {
  // R1.4 R5.5
  test.each([
    [401, "CONNECTIVITY_UNAUTHORIZED", false],
    [403, "CONNECTIVITY_UNAUTHORIZED", false],
    [404, "CONNECTIVITY_REFUSED", true],
    [410, "STREAM_EXPIRED", true],
    [429, "CONNECTIVITY_OVERLOADED", true],
    [500, "CONNECTIVITY_UNAVAILABLE", true],
    [503, "CONNECTIVITY_UNAVAILABLE", true],
    [504, "CONNECTIVITY_TIMEOUT", true],
    [302, "STREAM_INVALID_DATA", false],
    [400, "STREAM_INVALID_DATA", false],
  ])("%i is %s", (status, code, retryable) => {
    const error = toRefusalError({ status, request: REQUEST }, toPeer(SERVER));
    expect(error).toMatchObject({ code, retryable });
    expect(error.details).toEqual({ server: SERVER, status, request: REQUEST });
    expect(error.message).toContain(SERVER);
    expect(error.message).toContain(REQUEST);
  });

  test("keeps the delay that the server asks for", () => {
    const { details } = toRefusalError(
      { status: 429, request: REQUEST, retryAfterMs: 3_000 },
      toPeer(SERVER),
    );
    expect(details).toHaveProperty("retryAfterMs", 3_000);
  });

  test("the message for 403 says that the account is not allowed to do it", () => {
    expect(toRefusalError({ status: 403, request: REQUEST }, toPeer(SERVER)).message).toContain(
      "does not allow this account to list endpointslices",
    );
  });
});
