import { describe, expect, test } from "vitest";
import { toRefusalError } from "./to-refusal-error.ts";

const WHERE = "http://127.0.0.1:8500";

describe("toRefusalError", () => {
  // R1.4
  test.each([
    [403, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", false],
    [403, "rpc error making call: ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", false],
    [500, "ACL not found", "CONNECTIVITY_UNKNOWN_TOKEN", false],
    [403, "Permission denied", "CONNECTIVITY_UNAUTHORIZED", false],
    [
      403,
      "rpc error: Permission denied: token with AccessorID 'x' lacks permission",
      "CONNECTIVITY_UNAUTHORIZED",
      false,
    ],
    [401, "", "CONNECTIVITY_UNAUTHORIZED", false],
    [500, "No cluster leader", "CONNECTIVITY_NO_LEADER", true],
    [500, "rpc error making call: No cluster leader", "CONNECTIVITY_NO_LEADER", true],
    [500, "No path to datacenter", "CONNECTIVITY_REFUSED", true],
    [500, "Permission denied", "CONNECTIVITY_UNAUTHORIZED", false],
    [500, "No known Consul servers", "CONNECTIVITY_UNAVAILABLE", true],
    [500, "rpc error getting client: failed to get conn", "CONNECTIVITY_UNAVAILABLE", true],
    [500, "rpc error making call: EOF", "CONNECTIVITY_UNAVAILABLE", true],
    [502, "<html>ACL not found</html>", "CONNECTIVITY_UNAVAILABLE", true],
    [503, "", "CONNECTIVITY_UNAVAILABLE", true],
    [504, "", "CONNECTIVITY_TIMEOUT", true],
    [408, "", "CONNECTIVITY_TIMEOUT", true],
    [429, "Your IP is issuing too many concurrent connections", "CONNECTIVITY_OVERLOADED", true],
    [404, "", "CONNECTIVITY_REFUSED", true],
    [400, "Failed to create boolean expression evaluator", "STREAM_INVALID_DATA", false],
    [301, "", "STREAM_INVALID_DATA", false],
  ])("%i %j is %s", (status, text, code, retryable) => {
    const error = toRefusalError({ status, text }, WHERE);
    expect(error).toMatchObject({ code, retryable, details: { address: WHERE, status } });
    expect(error.details).not.toHaveProperty("retryAfterMs");
    if (text !== "") expect(JSON.stringify(error)).not.toContain(text);
  });

  test("keeps the delay that the server asks for", () => {
    const { details } = toRefusalError({ status: 503, text: "", retryAfterMs: 3_000 }, WHERE);
    expect(details).toEqual({ address: WHERE, status: 503, retryAfterMs: 3_000 });
  });

  test("names the proxy", () => {
    const error = toRefusalError({ status: 502, text: "", proxy: "proxy.example:3128" }, WHERE);
    expect(error.details).toMatchObject({ address: WHERE, proxy: "proxy.example:3128", status: 502 });
    expect(error.message).toContain("(through the proxy proxy.example:3128)");
  });
});
