import { describe, expect, test } from "vitest";
import { toHttpFailure } from "./http-failure.ts";

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
  ])("%i is %s and names the status", (status, code) => {
    expect(toHttpFailure(status)).toEqual({ code, failure: `responded with status ${status}` });
  });
});
